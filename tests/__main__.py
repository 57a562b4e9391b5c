"""``python3 -m tests``: finds or installs browsers, then runs all tests; or pytest with arguments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from demo.bootstrap import ROOT, enter

# A test of a page keeps hardly more than one core busy.
WORKERS = 2
BROWSER_GROUPS = 5

# Of the unit tests, those that build bundles, or run compilers and linters.
BUILDERS = ["tests/unit/bundle", "tests/unit/test_javascript.py", "tests/unit/test_typed_pages.py"]
COVERAGE = [sys.executable, "-m", "coverage"]
PYTEST = ["-m", "pytest", "-p", "no:cacheprovider", "--durations=5"]

# As in pytest's summary: which test, and why.
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+::.*?)(?: - (.*))?$", re.MULTILINE)
CRASHED = re.compile(r"crashed|has been closed")

# Installs and builds what several groups need. In a process of its own: pytest is to import the package.
PREPARATION = """
from pathlib import Path
from demo.serve import install_server
from nextauth_py.bundle import build_bundle
from tests.peers import build_peers, fetch_wheels

install_server()
build_bundle(Path("static/dist"))
build_peers()
fetch_wheels()
"""


def main() -> int:
    """Run the tests and return an exit code."""
    enter("tests")
    if sys.argv[1:]:
        return _run(sys.argv[1:])
    _ensure_browsers()
    subprocess.run([sys.executable, "-c", PREPARATION], cwd=ROOT, check=True)
    has_passed = _run_in_groups(_groups())
    return int(not (_is_covered() and has_passed))


def _groups() -> list[list[str]]:
    """The commands that run all tests, each a part of them, the longest first."""
    files = sorted(str(path.relative_to(ROOT)) for path in Path(ROOT).glob("tests/browser/test_*.py"))
    tests = [sys.executable, *PYTEST]
    unit = [*COVERAGE, "run", *PYTEST, "tests/unit", *(f"--ignore={each}" for each in BUILDERS)]
    return [
        [*tests, "tests/sites"],
        *([*tests, *files[number::BROWSER_GROUPS]] for number in range(BROWSER_GROUPS)),
        unit,
        [*tests, *BUILDERS, "tests/servers"],
    ]


def _run_in_groups(groups: list[list[str]]) -> bool:
    """Run some groups at a time, and print what each says when it has ended. Returns whether all passed."""
    printing = Lock()

    def run(command: list[str], times: int = 2) -> bool:
        paths = [each for each in command if each.startswith("tests/")]
        print(f"Running {paths[0]} and {len(paths) - 1} more…", flush=True)
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "CI": "true"},  # pytest then shortens no line
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        with printing:
            print(done.stdout, flush=True)
        if done.returncode == 0:
            return True
        crashed = crashed_tests(done.stdout) if times else []
        return bool(crashed) and run([sys.executable, *PYTEST, *crashed], times - 1)

    with ThreadPoolExecutor(WORKERS) as pool:
        return all(list(pool.map(run, groups)))


def crashed_tests(output: str) -> list[str]:
    """The tests that have failed, if all have because the browser crashed: other tests' page may be gone too.

    Args:
        output: Of pytest.
    """
    failed: list[tuple[str, str]] = FAILED.findall(output)
    is_all = all(CRASHED.search(reason) for _, reason in failed)
    return [test for test, _ in failed] if is_all else []


def _is_covered() -> bool:
    """Whether the unit tests have reached each branch of what decides (see ``pyproject.toml``)."""
    report = subprocess.run([*COVERAGE, "report"], cwd=ROOT, check=False)
    if report.returncode:
        print("The lines and branches above are reached by no unit test.", file=sys.stderr)
    return not report.returncode


def _ensure_browsers() -> None:
    from .browser.browsers import ensure_browsers  # noqa: PLC0415 - only now is everything installed

    ensure_browsers()


def _run(arguments: list[str]) -> int:
    import pytest  # noqa: PLC0415 - only now is everything installed

    _ensure_browsers()
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
