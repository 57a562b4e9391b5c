"""Stories of tabs on slow lines: what `python3 -m tests.stories` plays, a few hundred of them, and shrunk."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py.client.outbox import Outbox
from nextauth_py.client.reader import SessionReader
from nextauth_py.tabs.fence import Fence
from tests.world import Plan, Step, Tab, make_plan, tell

RANDOM = st.randoms(use_true_random=False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(RANDOM)
def test_a_tab_shows_the_servers_session_after_any_failure(random: Random) -> None:
    assert tell(make_plan(random, most_tabs=1)) == []


@settings(max_examples=500, deadline=None, derandomize=True)
@given(RANDOM)
def test_tabs_on_a_slow_line_agree_and_a_sign_out_holds(random: Random) -> None:
    assert tell(make_plan(random)) == []


def test_the_same_numbers_tell_the_same_story() -> None:
    assert make_plan(Random("1 2")) == make_plan(Random("1 2")) != make_plan(Random("1 3"))


def test_the_stories_tell_when_a_fence_falls_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fence, "repeats", lambda _fence: False)
    monkeypatch.setattr(Outbox, "outdated", lambda _outbox, **_options: None)
    monkeypatch.setattr(SessionReader, "interrupt", lambda _reader, _why: None)
    lies: list[str] = []
    for latency in (2.6, 3.0, 3.4, 3.8, 4.2, 4.6):
        tabs = [Tab(10.0, 0.0, calls_back=False), Tab(10.0, 2.0, calls_back=False)]
        steps = [Step(3.0, 0, "token", 1), Step(0.0, 0, "update")]
        lies += tell(Plan(signed_in=True, latency=latency, tabs=tabs, steps=steps))
    assert any("updated to" in lie for lie in lies)
