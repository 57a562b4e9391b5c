"""The store: who may write, and who is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nextauth_py import ClientFetchError, Session, User
from nextauth_py.core.store import Change, SessionStore

ALICE = Session(user=User(name="Alice"), expires=datetime(2026, 2, 1, tzinfo=UTC))
BOB = Session(user=User(name="Bob"), expires=datetime(2026, 2, 1, tzinfo=UTC))
FAILURE = ClientFetchError("/api/auth/session", 500)


class Recorder(SessionStore[Session]):
    """A store that keeps what it told."""

    def __init__(self) -> None:
        self.applied: list[Change[Session]] = []
        self.are_over = False
        super().__init__(self.applied.append, lambda: 1_767_225_600.0, "tab", lambda _session: self.are_over)

    def read(self, answer: Session | ClientFetchError | None) -> bool:
        return self.apply(answer, started=self.begin_read(), reason="refetch")

    @property
    def changes(self) -> list[Change[Session]]:
        return [each for each in self.applied if each.is_new]

    def events(self) -> list[str]:
        return [event.name for change in self.changes for event in change.events]


@pytest.fixture
def store() -> Recorder:
    return Recorder()


def test_it_is_loading_until_the_first_answer(store: Recorder) -> None:
    assert store.state.status == "loading"
    store.read(None)
    assert store.state.status == "unauthenticated"


def test_the_first_answer_is_no_event(store: Recorder) -> None:
    store.read(ALICE)
    assert store.state.status == "authenticated"
    assert store.events() == []


def test_signing_in_updating_and_signing_out_are_events(store: Recorder) -> None:
    for answer in (None, ALICE, BOB, None):
        store.read(answer)
    assert store.events() == ["signed_in", "updated", "signed_out"]


def test_each_answer_that_is_taken_is_passed_on_once(store: Recorder) -> None:
    late = store.begin_read()
    for answer in (None, None, FAILURE, FAILURE, ALICE):
        store.read(answer)
    store.apply(BOB, started=late, reason="refetch")  # it is outdated
    assert [change.answer for change in store.applied] == [None, None, FAILURE, FAILURE, ALICE]
    assert [change.is_new for change in store.applied] == [True, False, True, False, True]


def test_an_unchanged_answer_notifies_no_listener_and_keeps_the_object(store: Recorder) -> None:
    store.read(ALICE)
    store.read(ALICE.model_copy(deep=True))
    assert len(store.changes) == 1
    assert store.state.data is ALICE


def test_a_rolling_expiry_is_taken_over_in_silence(store: Recorder) -> None:
    shown = ALICE.model_copy(deep=True)
    later = datetime(2026, 3, 1, tzinfo=UTC)
    store.read(shown)
    store.read(ALICE.model_copy(update={"expires": later}))
    assert len(store.changes) == 1
    assert store.state.data is shown
    assert shown.expires == later


def test_an_expiry_rolls_even_in_a_frozen_model(store: Recorder) -> None:
    class Frozen(Session, frozen=True):
        pass

    shown = Frozen(expires=datetime(2026, 2, 1, tzinfo=UTC))
    later = datetime(2026, 3, 1, tzinfo=UTC)
    store.read(shown)
    store.read(Frozen(expires=later))
    assert store.state.data is shown
    assert shown.expires == later


def test_an_answer_that_began_before_the_shown_one_is_discarded(store: Recorder) -> None:
    early, late = store.begin_read(), store.begin_read()
    assert store.apply(ALICE, started=late, reason="refetch")
    assert not store.apply(None, started=early, reason="refetch")
    assert store.state.data is ALICE


def test_a_read_that_began_before_a_mutation_ended_is_discarded(store: Recorder) -> None:
    store.read(ALICE)
    before = store.begin_read()
    with store.mutation() as started:
        during = store.begin_read()
        assert not store.apply(ALICE, started=before, reason="refetch")
        assert not store.apply(ALICE, started=during, reason="refetch")
        assert store.apply(None, started=started, reason="sign_out")
    assert not store.apply(ALICE, started=before, reason="refetch")
    assert not store.apply(ALICE, started=during, reason="refetch")
    assert store.state.status == "unauthenticated"
    assert store.read(ALICE)


def test_a_failed_mutation_still_makes_earlier_reads_worthless(store: Recorder) -> None:
    before = store.begin_read()
    with pytest.raises(OSError, match="lost"), store.mutation():
        raise OSError("lost")
    assert not store.apply(ALICE, started=before, reason="refetch")


def test_a_state_before_a_change_elsewhere_is_outdated(
    store: Recorder,
) -> None:
    assert not store.is_outdated
    store.read(ALICE)
    assert not store.is_outdated
    store.witness(store.begin_read())
    assert store.is_outdated
    store.read(ALICE)
    assert not store.is_outdated
    with store.mutation() as started:
        store.apply(None, started=started, reason="sign_out")
    assert not store.is_outdated


def test_two_mutations_at_once_are_a_fault(store: Recorder) -> None:
    with store.mutation(), pytest.raises(RuntimeError, match="open already"), store.mutation():
        pass


def test_a_change_elsewhere_makes_reads_under_way_worthless(store: Recorder) -> None:
    before = store.begin_read()
    store.invalidate()
    assert not store.apply(ALICE, started=before, reason="refetch")


def test_an_error_keeps_the_session_and_marks_it_stale(store: Recorder) -> None:
    store.read(ALICE)
    store.read(FAILURE)
    state = store.state
    assert (state.status, state.data, state.error, state.stale) == ("authenticated", ALICE, FAILURE, True)


def test_an_error_before_the_first_answer_leaves_it_loading(store: Recorder) -> None:
    store.read(FAILURE)
    assert (store.state.status, store.state.error, store.state.stale) == ("loading", FAILURE, False)


def test_the_next_answer_clears_the_error(store: Recorder) -> None:
    store.read(ALICE)
    store.read(FAILURE)
    store.read(ALICE)
    assert (store.state.error, store.state.stale) == (None, False)
    assert store.events() == ["error"]


def test_the_same_error_again_notifies_no_listener(store: Recorder) -> None:
    store.read(ALICE)
    store.read(ClientFetchError("/api/auth/session", 500))
    store.read(ClientFetchError("/api/auth/session", 500))
    assert len(store.changes) == 2
    store.read(ClientFetchError("/api/auth/session", 502))
    assert len(store.changes) == 3


def test_refreshing_shows_without_notice(store: Recorder) -> None:
    store.mark_refreshing(True)
    assert store.state.refreshing
    assert store.changes == []


def test_a_closed_store_writes_nothing(store: Recorder) -> None:
    started = store.begin_read()
    store.close()
    assert not store.apply(ALICE, started=started, reason="refetch")
    store.mark_refreshing(True)
    assert store.state.status == "loading"
    assert not store.state.refreshing


def test_an_event_says_whether_this_tab_did_it(store: Recorder) -> None:
    store.read(None)
    store.apply(ALICE, started=store.begin_read(), reason="sign_in")
    store.apply(None, started=store.begin_read(), reason="broadcast")
    events = [event for change in store.changes for event in change.events]
    assert [(event.reason, event.local) for event in events] == [("sign_in", True), ("broadcast", False)]


def test_a_read_that_began_before_a_change_that_another_tab_knows_of_is_discarded(store: Recorder) -> None:
    store.read(ALICE)
    late = store.begin_read()
    time, _tab = late
    store.witness((time + 5, "other"))
    assert not store.apply(BOB, started=late, reason="refetch")
    assert store.read(None)


def test_the_time_goes_on_though_the_clock_goes_back() -> None:
    clock = iter([100.0, 50.0, 50.0, 50.0])
    store: SessionStore[Session] = SessionStore(lambda _change: None, lambda: next(clock), "tab", bool)
    first, second = store.begin_read(), store.begin_read()
    assert first < second
    store.witness((200_000_000, "other"))
    assert store.begin_read() > (200_000_000, "other")


def test_marking_as_stale_notifies_and_ends_with_the_next_answer(store: Recorder) -> None:
    store.mark_stale()
    assert store.changes == []
    store.read(ALICE)
    store.mark_stale()
    assert store.state.stale
    store.read(ALICE)
    assert not store.state.stale
    assert [change.state.stale for change in store.changes] == [False, True, False]
