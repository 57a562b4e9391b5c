"""When a tab asks, and which of them: decided without a browser, a clock or a task."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nextauth_py import ClientFetchError, Session, SessionState
from nextauth_py.core.schedule import FOCUS_THROTTLE, Schedule
from nextauth_py.core.store import Stamp
from nextauth_py.tabs.leader import Leader, Rank
from nextauth_py.tabs.messages import Kind, Message
from nextauth_py.tabs.poller import Environment, Poller

INTERVAL, TIMEOUT = 60.0, 10.0
START = 1_767_225_600.0  # 2026-01-01
SIGNED_IN: SessionState[Session] = SessionState(
    "authenticated", Session(expires=datetime(2026, 2, 1, tzinfo=UTC))
)
SIGNED_OUT: SessionState[Session] = SessionState("unauthenticated")


class Setting:
    """A tab "us" that polls each minute, and what it sees around it."""

    def __init__(self, **options: Any) -> None:
        self.now, self.monotonic = START, 0.0
        self.state = SIGNED_IN
        self.is_online = self.is_visible = True
        self.peers: list[str] = []
        self.has_javascript_peers = False
        self.said: list[str] = []
        environment = Environment(
            now=lambda: self.now,
            monotonic=lambda: self.monotonic,
            offset=lambda: 0.0,
            state=lambda: self.state,
            is_online=lambda: self.is_online,
            is_visible=lambda: self.is_visible,
            peers=lambda: self.peers,
            has_javascript_peers=lambda: self.has_javascript_peers,
            longest_timeout=lambda: TIMEOUT,
        )
        self.leader = Leader("us")
        schedule = Schedule(INTERVAL, **options)
        self.poller = Poller(
            schedule,
            self.leader,
            "us",
            TIMEOUT,
            environment=environment,
            trace=lambda *_what: self.said.append(""),
        )

    def answered(self) -> None:
        """This tab has asked, and been answered."""
        self.poller.asking()
        self.poller.confirmed()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.monotonic += seconds

    def hear(self, kind: Kind, tab: str = "them", **fields: Any) -> None:
        time: Stamp = (int(self.now * 1e6), tab)
        self.poller.hear(Message(kind, tab, time, **fields))


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_tab_alone_polls_each_interval(setting: Setting) -> None:
    setting.leader.win()
    setting.answered()
    assert setting.poller.wait() == INTERVAL
    assert setting.poller.take_scheduled() is None
    setting.pass_time(INTERVAL)
    assert setting.poller.take_scheduled() == "poll"


def test_a_follower_polls_when_nobody_has_for_two_intervals_and_then_acts_as_the_leader(
    setting: Setting,
) -> None:
    setting.answered()
    setting.pass_time(2 * INTERVAL)
    assert setting.poller.take_scheduled() is None
    setting.pass_time(INTERVAL / 2)
    assert setting.poller.take_scheduled() == "poll"
    assert setting.leader.rank == Rank.ACTING


def test_another_tabs_answer_begins_a_new_interval(setting: Setting) -> None:
    setting.leader.win()
    setting.answered()
    setting.pass_time(INTERVAL / 2)
    setting.hear("state")
    assert setting.poller.wait() == INTERVAL


def test_nothing_is_planned_while_signed_out(setting: Setting) -> None:
    setting.state = SIGNED_OUT
    setting.answered()
    assert setting.poller.wait() is None


def test_many_nudges_make_one_request(setting: Setting) -> None:
    setting.leader.win()
    setting.answered()
    for _ in range(3):
        setting.poller.nudge()
    assert setting.poller.wait() == pytest.approx(0.01)
    assert setting.poller.take_nudge() is None
    setting.pass_time(0.01)
    assert setting.poller.take_nudge() == "broadcast"
    assert setting.poller.take_nudge() is None


def test_nudges_that_never_stop_are_answered_within_a_second(setting: Setting) -> None:
    setting.peers = ["them"]
    setting.poller.nudge()
    waited = 0.0
    while not setting.poller.take_nudge():
        setting.hear("asking")  # puts it off
        setting.pass_time(0.3)
        waited += 0.3
        assert waited < TIMEOUT + 2
    assert waited > 1


def test_a_follower_lets_the_leader_ask_first(setting: Setting) -> None:
    setting.peers = ["them"]
    setting.answered()
    setting.poller.nudge()
    assert 0.1 <= (setting.poller.wait(only_nudge=True) or 0) <= 0.2
    setting.hear("state")  # which has
    assert setting.poller.wait(only_nudge=True) is None


def test_the_tab_of_a_mutation_asks_itself(setting: Setting) -> None:
    setting.peers = ["them"]
    setting.poller.mutated(0.0)
    setting.poller.nudge()
    assert setting.poller.wait() == pytest.approx(0.01)


@pytest.mark.parametrize("why", ["a JavaScript client", "missed news", None])
def test_a_mutation_is_looked_after_where_something_may_undo_it(setting: Setting, why: str | None) -> None:
    setting.has_javascript_peers = why == "a JavaScript client"
    if why == "missed news":
        setting.poller.missed_news()
    setting.poller.mutated(0.1)
    wait = setting.poller.wait(only_nudge=True)
    assert wait is None if why is None else wait == pytest.approx(0.5)


def test_a_failed_mutation_refetches_after_messages_in_between(setting: Setting) -> None:
    setting.poller.mutation_failed()
    assert setting.poller.wait(only_nudge=True) is None
    setting.poller.missed_news()
    setting.poller.mutation_failed()
    assert setting.poller.wait(only_nudge=True) == pytest.approx(0.01)


def test_a_page_that_comes_into_view_asks_but_not_again_at_once(setting: Setting) -> None:
    setting.answered()
    assert setting.poller.came_into_view() is None
    setting.pass_time(FOCUS_THROTTLE)
    assert setting.poller.came_into_view() == "focus"
    assert setting.poller.focused() == "focus"
    setting.is_visible = False
    assert setting.poller.focused() is None
    setting.state, setting.is_visible = SIGNED_OUT, True
    assert setting.poller.focused() is None
    setting.state = SessionState("unauthenticated", error=ClientFetchError("/api/auth/session", 500))
    assert setting.poller.focused() == "focus"


def test_the_network_that_comes_back_is_a_reason_to_ask(setting: Setting) -> None:
    setting.answered()
    setting.is_online = False
    assert setting.poller.network_changed() is None
    setting.is_online = True
    assert setting.poller.network_changed() == "online"
    assert setting.poller.network_changed() is None  # it has not been away


def test_a_hidden_page_asks_when_it_comes_into_view(setting: Setting) -> None:
    setting.answered()
    setting.is_online = setting.is_visible = False
    setting.poller.started()
    setting.is_online = True
    assert setting.poller.network_changed() is None
    assert setting.poller.came_into_view() == "online"


def test_failures_of_others_put_off_our_attempts_but_not_for_ever(setting: Setting) -> None:
    setting.answered()
    for _ in range(20):
        setting.poller.others_failed(None)
        setting.pass_time(30)
    before = setting.poller.schedule.rest
    setting.poller.others_failed(3600.0)
    assert setting.poller.schedule.rest == before


def test_mere_announcements_of_requests_are_not_waited_for(setting: Setting) -> None:
    setting.leader.win()
    setting.answered()
    for _ in range(80):
        setting.pass_time(1)
        setting.hear("asking")
    assert setting.poller.take_scheduled() == "poll"


def test_of_two_acting_leaders_the_one_with_the_smaller_name_goes_on(setting: Setting) -> None:
    setting.leader.take_over()
    setting.hear("here", "zoe", leads=Rank.ACTING)
    assert setting.leader.rank == Rank.ACTING
    setting.hear("here", "ann", leads=Rank.ACTING)
    assert setting.leader.rank == Rank.FOLLOWER


def test_the_tab_with_the_lock_leads_whatever_others_post(setting: Setting) -> None:
    setting.leader.win()
    setting.hear("here", "ann", leads=Rank.LEADER)
    assert setting.leader.rank == Rank.LEADER
    setting.leader.resign(acting=True)
    assert setting.leader.rank == Rank.ACTING
    setting.hear("here", "zoe", leads=Rank.LEADER)
    assert setting.leader.rank == Rank.FOLLOWER


def test_without_locks_followers_wait_for_less_long(setting: Setting) -> None:
    setting.leader.has_locks = False
    assert 1 <= setting.leader.grace < 1.5
