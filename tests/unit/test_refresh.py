"""When to ask again, and why; and what time it is for the server. No clock runs here."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest

from nextauth_py import Session
from nextauth_py.core.schedule import (
    EXPIRY_MARGIN,
    FOCUS_THROTTLE,
    LONGEST_TIMER,
    Conditions,
    Schedule,
    expires_at,
)
from nextauth_py.core.server_clock import ServerClock, parse_date

NOW = 1_767_225_600.0
DAY = 24 * 60 * 60.0


def around(after: float = 0.0, **others: Any) -> Conditions:
    return Conditions(NOW + after, **others)


def confirmed(expires: float, **options: Any) -> Schedule:
    """A schedule whose session the server has just vouched for, until so many seconds later."""
    schedule = Schedule(asked_at=NOW, **options)
    schedule.confirm(NOW + expires, 0.0)
    return schedule


def failed(times: int = 1, *, retry_after: float | None = None, **options: Any) -> Schedule:
    schedule = Schedule(asked_at=NOW, **options)
    for _ in range(times):
        schedule.fail(NOW, retry_after, "tab")
    return schedule


# --- the interval ---


def test_the_interval_runs_from_the_last_request() -> None:
    schedule = Schedule(10, asked_at=NOW)
    assert schedule.timer(around(4)) == 6
    assert schedule.due(around(9.9)) is None
    assert schedule.due(around(9.9995)) == "poll"  # browsers fire a little early
    assert schedule.due(around(30)) == "poll"


@pytest.mark.parametrize(
    "never",
    [
        (Schedule(0), {}),
        (Schedule(10), {"is_signed_in": False}),
        (Schedule(10, when_offline=False), {"is_online": False}),
        (Schedule(10, when_hidden=False), {"is_visible": False}),
    ],
    ids=["off", "signed out", "offline", "hidden"],
)
def test_there_is_no_interval(never: tuple[Schedule, dict[str, Any]]) -> None:
    schedule, circumstances = never
    assert schedule.timer(around(100, **circumstances)) is None
    assert schedule.due(around(100, **circumstances)) is None


def test_the_interval_goes_on_offline_and_hidden() -> None:
    schedule = Schedule(10, asked_at=NOW)
    assert schedule.due(around(10, is_online=False, is_visible=False)) == "poll"


def test_a_tab_that_follows_another_waits_for_it() -> None:
    schedule = Schedule(10, asked_at=NOW)
    assert schedule.due(around(19, grace=2)) is None
    assert schedule.due(around(20, grace=2)) == "poll"


def test_timers_are_short_and_never_negative() -> None:
    schedule = Schedule(10 * DAY, asked_at=NOW)
    assert schedule.timer(around(0)) == LONGEST_TIMER
    assert schedule.timer(around(11 * DAY)) == 0


def test_a_clock_that_was_set_back_does_not_stop_the_interval() -> None:
    schedule = Schedule(10, asked_at=NOW)
    assert schedule.timer(around(-DAY)) == 10
    assert schedule.due(around(-DAY + 10)) == "poll"


# --- coming into view ---


def test_coming_into_view_asks_at_most_once_in_a_while() -> None:
    schedule = Schedule(asked_at=NOW)
    assert not schedule.focus_is_due(NOW + FOCUS_THROTTLE - 0.1)
    assert schedule.focus_is_due(NOW + FOCUS_THROTTLE)
    assert schedule.focus_is_due(NOW - DAY)
    assert not Schedule(on_focus=False).focus_is_due(NOW)


def test_coming_into_view_respects_the_rest_that_a_server_asks_for() -> None:
    schedule = failed(retry_after=100)
    assert not schedule.focus_is_due(NOW + 99)
    assert schedule.focus_is_due(NOW + 100)
    assert failed(20).focus_is_due(NOW + FOCUS_THROTTLE)
    schedule.recover()
    assert schedule.focus_is_due(NOW + FOCUS_THROTTLE)


# --- failures ---


def test_attempts_become_rarer_up_to_a_limit() -> None:
    waits = [failed(times).timer(around()) or 0.0 for times in range(1, 12)]
    for wait, longest in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60], strict=True):
        assert longest / 2 <= wait <= longest
    assert failed(5000).timer(around()) is not None


def test_the_attempts_of_many_tabs_are_spread() -> None:
    waits = set()
    for tab in range(20):
        schedule = Schedule()
        schedule.fail(NOW, None, f"tab{tab}")
        waits.add(schedule.timer(around()))
    assert len(waits) == 20


def test_a_failure_takes_the_place_of_the_interval() -> None:
    schedule = failed(7, interval=1)
    assert schedule.due(around(29)) is None
    assert schedule.due(around(60)) == "retry"
    schedule.recover()
    assert schedule.rest is None
    assert schedule.due(around(1)) == "poll"


def test_a_failed_first_load_is_tried_again() -> None:
    assert failed().due(around(1, is_signed_in=False)) == "retry"


@pytest.mark.parametrize("circumstances", [{"is_visible": False}, {"is_online": False}])
def test_no_retry_while_hidden_or_offline(
    circumstances: dict[str, bool],
) -> None:
    assert failed(interval=0).due(around(DAY, **circumstances)) is None
    schedule = failed(interval=10, when_offline=False)
    assert schedule.due(around(DAY, **circumstances)) is None


def test_offline_polls_continue_after_failures_at_the_same_pace() -> None:
    schedule = failed(1, interval=10)
    assert schedule.due(around(9, is_online=False)) is None
    assert schedule.due(around(10, is_online=False)) == "poll"
    assert failed(7, interval=1).due(around(29, is_online=False)) is None
    assert failed(1, interval=1).due(around(10, is_online=False, is_signed_in=False)) is None


def test_the_server_may_ask_for_a_longer_rest_but_not_for_ever() -> None:
    assert failed(retry_after=100).due(around(99)) is None
    assert failed(retry_after=100).due(around(100)) == "retry"
    assert failed(retry_after=0).due(around(0.4)) is None
    assert failed(retry_after=1e30).due(around(DAY)) == "retry"


def test_an_attempt_under_way_is_waited_for() -> None:
    schedule = failed()
    schedule.asked_at = NOW + 5
    assert schedule.due(around(14, timeout=10)) is None
    assert schedule.due(around(15, timeout=10)) == "retry"


def test_a_clock_that_was_set_back_does_not_stop_the_attempts() -> None:
    schedule = failed()
    assert schedule.due(around(-DAY)) is None
    assert schedule.due(around(-DAY + 1)) == "retry"


# --- the end of a session ---


def test_a_session_past_its_end_is_verified_once() -> None:
    schedule = confirmed(100)
    assert schedule.due(around(100)) is None  # the cookie may still be there
    assert schedule.due(around(100 + EXPIRY_MARGIN)) == "expiry"
    schedule.asked_at = NOW + 101
    schedule.confirm(NOW + 100, 0.0)  # the server lets it live on, and does not say for how long
    assert schedule.timer(around(102)) is None


def test_the_servers_clock_counts() -> None:
    schedule = Schedule(asked_at=NOW)
    schedule.confirm(NOW + DAY + 100, DAY)
    assert schedule.due(around(99, offset=DAY)) is None
    assert schedule.due(around(101, offset=DAY)) == "expiry"


def test_the_verification_under_way_is_waited_for_and_repeated_if_it_is_lost() -> None:
    schedule = confirmed(100)
    schedule.asked_at = NOW + 101
    assert schedule.due(around(110, timeout=10)) is None
    assert schedule.due(around(111, timeout=10)) == "expiry"


def test_another_tab_may_verify_first() -> None:
    assert confirmed(100).due(around(100.2, head_start=0.2)) is None
    assert confirmed(100).due(around(100.3, head_start=0.2)) == "expiry"


def test_an_assumed_session_that_is_over_is_verified_at_once() -> None:
    schedule = Schedule()
    schedule.assume(NOW - 1)
    assert schedule.due(around()) == "expiry"
    schedule.assume(None)
    assert schedule.due(around()) is None


@pytest.mark.parametrize("days", [30, 400])
def test_the_end_of_a_long_session_is_far_away(days: int) -> None:
    schedule = confirmed(days * DAY)
    assert schedule.timer(around()) == LONGEST_TIMER
    assert schedule.due(around(days * DAY - 1)) is None
    assert schedule.due(around(days * DAY + 1)) == "expiry"


# --- renewal ---


def test_a_session_is_renewed_shortly_before_its_end_if_the_page_is_used() -> None:
    schedule = confirmed(100, renew_before=20)
    assert schedule.due(around(90)) is None
    schedule.used_at = NOW + 65
    assert schedule.due(around(79)) is None
    assert schedule.due(around(81)) == "renewal"
    assert schedule.due(around(86)) is None  # it was not used in the last 20 seconds
    schedule.used_at = NOW + 88
    assert schedule.due(around(88)) == "renewal"


def test_a_renewal_under_way_is_waited_for() -> None:
    schedule = confirmed(100, renew_before=20)
    schedule.used_at = schedule.asked_at = NOW + 85
    assert schedule.due(around(86)) is None
    assert schedule.due(around(95, timeout=10)) == "renewal"


def test_a_session_that_the_server_does_not_extend_is_asked_for_once() -> None:
    schedule = confirmed(100, renew_before=20)
    schedule.used_at = schedule.asked_at = NOW + 85
    schedule.confirm(NOW + 100, 0.0)
    assert schedule.due(around(99)) is None
    assert schedule.due(around(101)) == "expiry"


def test_a_renewed_session_is_renewed_again_in_its_time() -> None:
    schedule = confirmed(100, renew_before=20)
    schedule.asked_at = NOW + 85
    schedule.confirm(NOW + 185, 0.0)
    schedule.used_at = NOW + 164
    assert schedule.due(around(164)) is None
    assert schedule.due(around(165)) == "renewal"


def test_a_window_longer_than_the_session_asks_no_more_than_twice_in_its_time() -> None:
    schedule = confirmed(10, renew_before=1000)
    schedule.used_at = NOW + 4
    assert schedule.due(around(4)) is None
    assert schedule.due(around(5)) == "renewal"


def test_a_session_that_was_over_when_it_was_granted_is_never_renewed() -> None:
    schedule = confirmed(-10, renew_before=5)
    schedule.used_at = NOW
    assert schedule.timer(around()) is None


def test_an_assumed_session_is_renewed_only_after_the_server_has_vouched_for_it() -> None:
    schedule = Schedule(renew_before=20, asked_at=NOW, used_at=NOW + 85)
    schedule.assume(NOW + 100)
    assert schedule.due(around(85)) is None
    schedule.confirm(NOW + 100, 0.0)
    assert schedule.due(around(85)) == "renewal"


# --- when a session ends ---


def test_an_end_without_a_time_zone_is_in_utc() -> None:
    naive, aware = datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - as a server may send it
    assert expires_at(Session(expires=naive)) == expires_at(Session(expires=aware)) == NOW


@pytest.mark.parametrize("expires", [None, "soon"])
def test_a_session_type_may_do_without_an_end(expires: Any) -> None:
    assert expires_at(Session.model_construct(expires=expires)) is None


def test_the_first_of_all_days_is_a_day_too() -> None:
    assert expires_at(Session(expires=datetime.fromisoformat("0001-01-01T00:00:00+14:00"))) is not None


# --- the server's clock ---


def test_the_servers_time_is_read_from_its_answers() -> None:
    clock = ServerClock()
    assert (clock.is_sure, clock.offset) == (False, 0.0)
    clock.hear(NOW + 3600, NOW + 0.25)
    assert (clock.is_sure, clock.offset) == (True, 3600 - 0.25)
    clock.hear(NOW - DAY, NOW)
    assert clock.offset == -DAY


def test_doubt_ends_with_the_next_answer_or_by_decision() -> None:
    clock = ServerClock()
    clock.hear(NOW, NOW)
    clock.doubt()
    assert not clock.is_sure
    clock.trust()
    assert clock.is_sure


def test_a_date_is_read_to_the_second() -> None:
    assert parse_date(formatdate(NOW, usegmt=True)) == int(NOW)


@pytest.mark.parametrize("text", ["", "0", "Tue, 99 Foo 2026 10:40:54 GMT", "Tue, 24 Nov 99999 10:40:54 GMT"])
def test_nonsense_is_no_date(text: str) -> None:
    assert parse_date(text) is None
