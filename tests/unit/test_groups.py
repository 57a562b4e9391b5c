"""Which tests run again in a new browser: those that the browser's crash has failed, if nothing else has."""

from __future__ import annotations

import pytest

from tests.__main__ import crashed_tests

CRASH = "FAILED tests/sites/test_story.py::test_a[chromium-a b] - Error: page crashed!"
GONE = "ERROR tests/browser/test_x.py::test_b[x] - Error: Page.goto: Target page has been closed"
BUG = "FAILED tests/browser/test_x.py::test_c - assert 1 == 2"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["1 passed in 3 s"], []),
        ([CRASH], ["tests/sites/test_story.py::test_a[chromium-a b]"]),
        (
            [CRASH, GONE],
            ["tests/sites/test_story.py::test_a[chromium-a b]", "tests/browser/test_x.py::test_b[x]"],
        ),
        ([BUG], []),
        ([CRASH, BUG], []),
        (["FAILED tests/browser/test_x.py::test_c"], []),
    ],
)
def test_only_crashes_count(lines: list[str], expected: list[str]) -> None:
    assert (
        crashed_tests("\n".join(["=== short test summary info ===", *lines, "=== 1 failed ==="])) == expected
    )
