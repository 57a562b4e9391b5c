"""``python3 -m tests``: finds or installs browsers, then runs all tests; or pytest with arguments."""

from __future__ import annotations

import subprocess
import sys

from demo.bootstrap import ROOT, enter

PURE = "tests/unit"
OTHERS = ["tests/servers", "tests/browser", "tests/sites"]


def main() -> int:
    """Run the tests and return an exit code."""
    enter("tests")
    if sys.argv[1:]:
        return _run(sys.argv[1:])
    has_passed = _run_covered()
    return _run(OTHERS) or int(not has_passed)


def _run_covered() -> bool:
    """Run the unit tests, which have to reach each branch of what decides (see ``pyproject.toml``)."""
    coverage = [sys.executable, "-m", "coverage"]
    tests = subprocess.run([*coverage, "run", "-m", "pytest", PURE], cwd=ROOT, check=False)
    report = subprocess.run([*coverage, "report"], cwd=ROOT, check=False)
    if report.returncode:
        print("The lines and branches above are reached by no unit test.", file=sys.stderr)
    return not (tests.returncode or report.returncode)


def _run(arguments: list[str]) -> int:
    # Only now is everything installed.
    import pytest  # noqa: PLC0415

    from .browser.browsers import ensure_browsers  # noqa: PLC0415

    ensure_browsers()
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
