"""What the fence decides: without a browser, a clock or a task."""

from __future__ import annotations

from typing import Any

import pytest

from nextauth_py.core.store import Stamp
from nextauth_py.tabs.fence import Fence
from nextauth_py.tabs.messages import Kind, Message

TIMEOUT = 10.0
EARLY, LATE = 1_000_000, 2_000_000  # logical times


class Setting:
    """A fence of the tab "us", and the two clocks that it reads."""

    def __init__(self) -> None:
        self.time = self.monotonic = 100.0
        self.fence = Fence("us", now=lambda: self.time, monotonic=lambda: self.monotonic)

    def hear(self, kind: Kind, tab: str = "them", time: Stamp = (EARLY, "them"), **fields: Any) -> str | None:
        return self.fence.hear(Message(kind, tab, time, **fields), TIMEOUT)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_fence_of_another_tab_aborts_reads_once(setting: Setting) -> None:
    assert not setting.fence.is_up
    assert setting.hear("fence") == "abort"
    assert setting.fence.is_up
    assert setting.hear("fence") is None  # a sign of life


@pytest.mark.parametrize("kind", ["done", "changed", "state", "bye"])
def test_the_outcome_lowers_it_and_so_does_a_tab_that_closes(setting: Setting, kind: Kind) -> None:
    setting.hear("fence")
    setting.hear(kind, time=(LATE, "them"))
    assert not setting.fence.is_up
    assert setting.fence.expires_in() == float("inf")


def test_a_fence_after_its_outcome_is_ignored(setting: Setting) -> None:
    setting.hear("done", time=(LATE, "them"))
    assert setting.hear("fence") is None
    assert not setting.fence.is_up


def test_it_falls_by_itself_when_its_tab_is_silent(setting: Setting) -> None:
    setting.hear("fence")
    assert setting.fence.expires_in() == TIMEOUT + 2
    setting.monotonic += 5
    setting.hear("fence")  # a sign of life
    assert setting.fence.expires_in() == TIMEOUT + 2
    setting.monotonic += TIMEOUT + 2
    assert not setting.fence.is_up


def test_it_stands_no_longer_than_a_mutation_can_take(setting: Setting) -> None:
    setting.hear("fence")
    for _ in range(16):
        setting.monotonic += TIMEOUT
        setting.hear("fence")
    assert not setting.fence.is_up


def test_a_clock_that_is_set_back_does_not_keep_fences_from_being_raised(setting: Setting) -> None:
    ahead = int((setting.time + 2 * 24 * 60 * 60) * 1e6)
    setting.hear("done", time=(ahead, "them"))
    assert setting.hear("fence", time=(LATE, "them")) == "abort"


def test_ours_waits_for_the_tabs_that_are_there(setting: Setting) -> None:
    own = (EARLY, "us")
    setting.fence.raise_own(own, ["one", "two"])
    assert setting.hear("ack", "one", own) is None
    assert setting.fence.missing == {"two"}
    setting.hear("bye", "two")
    assert setting.fence.missing == set()


@pytest.mark.parametrize("is_up", [True, False])
def test_an_acknowledgement_that_comes_too_late_is_a_reason_to_look(setting: Setting, is_up: bool) -> None:
    own = (EARLY, "us")
    setting.fence.raise_own(own, ["one"])
    assert setting.hear("ack", "one", own) is None
    if not is_up:
        setting.fence.lower_own()
    assert setting.hear("ack", "one", own) == "suspect"
    assert setting.hear("ack", "one", (EARLY, "them")) is None  # of another tab's fence


def test_a_new_page_gets_our_fence(setting: Setting) -> None:
    assert setting.hear("hello") is None
    setting.fence.raise_own((EARLY, "us"), [])
    assert setting.hear("hello") == "repeat"


def test_ours_is_repeated_with_requests_but_not_with_each(setting: Setting) -> None:
    assert not setting.fence.repeats()
    setting.fence.raise_own((EARLY, "us"), [])
    assert not setting.fence.repeats()
    setting.monotonic += 1.5
    assert setting.fence.repeats()
    assert not setting.fence.repeats()
    setting.monotonic += 1.5
    setting.fence.lower_own()
    assert not setting.fence.repeats()


@pytest.mark.parametrize(("theirs", "precedes"), [(EARLY, True), (LATE, False)])
def test_of_two_mutations_the_one_that_began_first_goes_first(
    setting: Setting, theirs: int, precedes: bool
) -> None:
    setting.fence.raise_own(((EARLY + LATE) // 2, "us"), ["them"])
    setting.hear("fence", time=(theirs, "them"))
    assert setting.fence.is_preceded() is precedes
    setting.hear("state", time=(3 * LATE, "them"))
    assert not setting.fence.is_preceded()
