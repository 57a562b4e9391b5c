"""The messages between tabs: what is written, and what is understood."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from nextauth_py.tabs.messages import (
    PROTOCOL,
    Failure,
    Message,
    NextAuthMessages,
    parse_message,
    parse_stored,
)

NOW = 1_767_225_600.9
FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}
STATE = Message("state", "a", (5, "a"), (3, "b"), {"user": {"name": "alice", "image": None}}, 2, "update")


def written(scope: str = "/api/auth", *, told: bool = True) -> dict[str, Any]:
    return NextAuthMessages(scope).write("signout", nonce="n", now=NOW, told=told)


def test_a_message_is_one_that_both_javascript_clients_understand() -> None:
    message = written()
    assert message["event"] == "session"
    assert message["data"] == {"trigger": "signout"}
    assert message["timestamp"] == 1_767_225_600


@pytest.mark.parametrize("message", [None, 1, "session", [], {}, {"event": "other"}])
def test_other_texts_than_messages_are_ignored(message: object) -> None:
    assert NextAuthMessages("/api/auth").read(message, listens=True) is None


def test_a_javascript_client_is_always_news() -> None:
    mailbox = NextAuthMessages("/api/auth")
    assert mailbox.read(FROM_V5, listens=True) == "javascript"
    assert mailbox.read(FROM_V5, listens=True) == "javascript"


def test_a_message_on_both_transports_counts_once() -> None:
    mailbox = NextAuthMessages("/api/auth")
    assert mailbox.read(written(told=False), listens=True) == "python"
    assert mailbox.read(written(told=False), listens=True) is None


@pytest.mark.parametrize(
    ("change", "listens"),
    [({}, False), ({"told": 0}, True), ({"told": PROTOCOL + 1}, True)],
    ids=["without a channel", "not told there", "told in a newer protocol"],
)
def test_a_python_tab_is_news_where_its_own_channel_does_not_tell_more(
    change: dict[str, Any], listens: bool
) -> None:
    assert NextAuthMessages("/api/auth").read({**written(), **change}, listens=listens) == "python"


def test_a_storage_event_after_our_own_channel_is_ignored() -> None:
    assert NextAuthMessages("/api/auth").read(written(), listens=True) is None


def test_a_message_of_ours_for_another_server_is_no_news() -> None:
    assert NextAuthMessages("/api/auth").read(written("/other", told=False), listens=True) is None


@pytest.mark.parametrize("text", [None, "", "{", "null"])
def test_a_storage_key_without_a_message_is_read_as_none(text: str | None) -> None:
    assert parse_stored(text) is None


@pytest.mark.parametrize("name", ["time", "epoch"])
def test_a_state_of_a_time_that_cannot_be_is_older_than_all_else(name: str) -> None:
    text = json.dumps({**json.loads(STATE.to_json("/api/auth")), name: [int(9e15), "a"]})
    assert parse_message(text, "/api/auth", now=NOW) == replace(STATE, time=(0, ""), epoch=(0, ""))


@pytest.mark.parametrize(("said", "read"), [(30, 30), (1e9, 60), (-1, 0), ("9", 0), (None, 0)])
def test_a_timeout_is_a_bounded_number_of_seconds(said: object, read: float) -> None:
    text = json.dumps({**json.loads(STATE.to_json("/api/auth")), "timeout": said})
    assert parse_message(text, "/api/auth", now=NOW) == replace(STATE, timeout=read)


def test_messages_survive_writing_and_reading() -> None:
    assert parse_message(STATE.to_json("/api/auth"), "/api/auth", now=NOW) == STATE


def test_a_message_about_another_server_is_ignored() -> None:
    assert parse_message(STATE.to_json("/other"), "/api/auth", now=NOW) is None


@pytest.mark.parametrize(
    "change",
    [
        {"v": PROTOCOL + 1},
        {"v": None},
        {"kind": "shout"},
        {"kind": ["state"]},
        {"tab": 1},
        {"time": None},
        {"time": [1]},
        {"time": [-1, "a"]},
        {"time": [True, "a"]},
        {"time": [1.5, "a"]},
        {"epoch": ["1", "a"]},
        {"time": [int(9e15), "a"], "kind": "fence"},
        {"session": "alice"},
        {"session": {}},
        {"leads": "yes"},
        {"mutated": 1},
        {"failure": [500, "HTTP 500", None]},
    ],
    ids=str,
)
def test_a_malformed_message_is_ignored(change: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(STATE.to_json("/api/auth")), **change})
    assert parse_message(text, "/api/auth", now=NOW) is None


def test_a_failure_is_shared_too() -> None:
    message = Message("failed", "a", (5, "a"), failure=Failure(503, "HTTP 503", 30.0))
    assert parse_message(message.to_json("/api/auth"), "/api/auth", now=NOW) == message
    long = replace(message, failure=Failure(None, "x" * 10_000, None))
    read = parse_message(long.to_json("/api/auth"), "/api/auth", now=NOW)
    assert read
    assert read.failure == Failure(None, "x" * 200, None)


@pytest.mark.parametrize(
    "failure",
    [None, "HTTP 500", [], [500, None, None], ["500", "x", None], [500, "x", "soon"], [500, "x", -1]],
    ids=str,
)
def test_a_malformed_failure_is_ignored(failure: object) -> None:
    message = Message("failed", "a", (5, "a"), failure=Failure(503, "HTTP 503", 30.0))
    text = json.dumps({**json.loads(message.to_json("/api/auth")), "failure": failure})
    assert parse_message(text, "/api/auth", now=NOW) is None


@pytest.mark.parametrize("wait", ["NaN", "Infinity"])
def test_a_failure_with_an_endless_wait_is_ignored(wait: str) -> None:
    message = Message("failed", "a", (5, "a"), failure=Failure(503, "HTTP 503", 30.0))
    text = message.to_json("/api/auth").replace("30.0", wait)
    assert wait in text
    assert parse_message(text, "/api/auth", now=NOW) is None


@pytest.mark.parametrize("text", [None, 1, "", "{", "null", "[]", {"v": 1}])
def test_malformed_messages_are_ignored(text: object) -> None:
    assert parse_message(text, "/api/auth", now=NOW) is None


def test_a_session_is_not_printed() -> None:
    assert "alice" not in repr(STATE)
