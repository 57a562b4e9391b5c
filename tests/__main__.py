"""``python3 -m tests``: finds or installs browsers, then runs all tests; or pytest with arguments."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading

from demo.bootstrap import ROOT, enter

UNIT = "tests/unit"
# Of the unit tests, those that build bundles, or run compilers and linters.
BUILDERS = ["tests/unit/bundle", "tests/unit/test_javascript.py", "tests/unit/test_typed_pages.py"]
OTHERS = ["tests/servers", "tests/browser"]
SITES = "tests/sites"
COVERAGE = [sys.executable, "-m", "coverage"]
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider"]
SLOWEST = "--durations=20"


def main() -> int:
    """Run the tests and return an exit code."""
    enter("tests")
    if sys.argv[1:]:
        return _run(sys.argv[1:])
    _prepare()
    # A browser test keeps hardly more than one core busy.
    ignored = [f"--ignore={each}" for each in BUILDERS]
    unit = [*COVERAGE, "run", *PYTEST, UNIT, *ignored]
    with _Aside([unit, [sys.executable, *PYTEST, SITES, SLOWEST]]) as aside:
        exit_code = _run([*BUILDERS, *OTHERS, SLOWEST])
        has_failed = aside.wait()
    return exit_code or int(has_failed or not _is_covered())


def _prepare() -> None:
    """Install and build what both processes need: only one may do it."""
    _ensure_browsers()
    # Not in this process: pytest is to import the package.
    code = "import nextauth_py.bundle, pathlib; nextauth_py.bundle.build_bundle(pathlib.Path('static/dist'))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def _ensure_browsers() -> None:
    from .browser.browsers import ensure_browsers  # noqa: PLC0415 - only now is everything installed

    ensure_browsers()


class _Aside:
    """Commands that run one after the other while this process does something else.

    What they print comes out at the end.
    """

    def __init__(self, commands: list[list[str]]) -> None:
        self._commands = commands
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._process: subprocess.Popen[str] | None = None
        self._is_over = self._has_failed = False

    def __enter__(self) -> _Aside:
        self._output = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        if self._process:
            self._process.terminate()
        self._thread.join()
        self._output.close()

    def _work(self) -> None:
        for command in self._commands:
            if self._is_over:
                return
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=self._output, stderr=subprocess.STDOUT, text=True
            )
            self._has_failed |= self._process.wait() != 0

    def wait(self) -> bool:
        """Wait for the end, print the output, and return whether a command has failed."""
        self._thread.join()
        self._output.seek(0)
        print(self._output.read())
        return self._has_failed


def _is_covered() -> bool:
    """Whether the unit tests have reached each branch of what decides (see ``pyproject.toml``)."""
    report = subprocess.run([*COVERAGE, "report"], cwd=ROOT, check=False)
    if report.returncode:
        print("The lines and branches above are reached by no unit test.", file=sys.stderr)
    return not report.returncode


def _run(arguments: list[str]) -> int:
    import pytest  # noqa: PLC0415 - only now is everything installed

    _ensure_browsers()
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
