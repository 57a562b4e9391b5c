"""``python3 -m tests``: finds or installs browsers, then runs all tests; or pytest with arguments."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from demo.bootstrap import ROOT, enter

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "tests/unit"
# Of the unit tests, those that build bundles, or run compilers and linters.
BUILDERS = ["tests/unit/bundle", "tests/unit/test_javascript.py", "tests/unit/test_typed_pages.py"]
OTHERS = ["tests/servers", "tests/browser", "tests/sites"]
COVERAGE = [sys.executable, "-m", "coverage"]


def main() -> int:
    """Run the tests and return an exit code."""
    enter("tests")
    if sys.argv[1:]:
        return _run(sys.argv[1:])
    # Unit tests keep one core busy, and the others hardly more than one.
    with _unit_tests() as (process, output):
        exit_code = _run([*BUILDERS, *OTHERS])
        has_failed = process.wait() != 0
        output.seek(0)
        print(output.read())
    return exit_code or int(has_failed or not _is_covered())


@contextmanager
def _unit_tests() -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Run the unit tests in the block, with what they print in a file."""
    ignored = [f"--ignore={each}" for each in BUILDERS]
    command = [*COVERAGE, "run", "-m", "pytest", "-p", "no:cacheprovider", UNIT, *ignored]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, text=True)
        try:
            yield process, output
        finally:
            process.terminate()
            process.wait()


def _is_covered() -> bool:
    """Whether the unit tests have reached each branch of what decides (see ``pyproject.toml``)."""
    report = subprocess.run([*COVERAGE, "report"], cwd=ROOT, check=False)
    if report.returncode:
        print("The lines and branches above are reached by no unit test.", file=sys.stderr)
    return not report.returncode


def _run(arguments: list[str]) -> int:
    # Only now is everything installed.
    import pytest  # noqa: PLC0415

    from .browser.browsers import ensure_browsers  # noqa: PLC0415

    ensure_browsers()
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
