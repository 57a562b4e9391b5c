"""``python3 -m tests``: finds or installs browsers, then runs pytest with the arguments given."""

from __future__ import annotations

import sys

from demo.bootstrap import enter


def main() -> int:
    """Run the tests and return pytest's exit code."""
    enter("tests")
    # Only now is everything installed.
    import pytest  # noqa: PLC0415

    from .browser.browsers import ensure_browsers  # noqa: PLC0415

    ensure_browsers()
    return pytest.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
