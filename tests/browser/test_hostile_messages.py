"""What scripts of the origin, or a server, can send to a page: Python lives, and hears the next message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage

SESSION = "GET /api/auth/session"

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    state = await provider.ready()
    state.status
"""

REFETCH = """
    state = await provider.refetch()
    [state.status, str(state.error)]
"""

# JavaScript expressions for the texts.
NESTED: dict[str, str] = {
    f"{count:,} nested {what}": template.format(count=count)
    for count in (10_000, 100_000, 200_000, 1_000_000)
    for what, template in {
        "arrays": "'['.repeat({count}) + ']'.repeat({count})",
        "unclosed arrays": "'['.repeat({count})",
        "objects": "'{{\"a\":'.repeat({count}) + '1' + '}}'.repeat({count})",
        "arrays after a string of brackets": "'[\"' + ']'.repeat({count}) + '\",' + '['.repeat({count})",
        "arrays in a message": """
            '{{"v":1,"scope":"/api/auth","kind":"state","tab":"x","time":[1,"x"],"epoch":[0,""],"leads":0,'
            + '"mutated":null,"failure":null,"session":{{"user":{{}},"x":'
            + '['.repeat({count}) + ']'.repeat({count}) + '}}}}'
        """,
    }.items()
}

# Other texts that are no messages of ours.
ODD_TEXTS = {
    "nothing": "''",
    "a number": "'1'",
    "NaN": "'NaN'",
    "half an emoji": '\'{"event":"\\ud83d"}\'',
    "half an emoji, escaped": r"""'{"event":"\\ud83d"}'""",
    "a number of a million digits": "'9'.repeat(1e6)",
    "a very large number": "'[1e999]'",
    "a prototype": """'{"__proto__":{"event":"session"}}'""",
}

# Longer than the storage takes.
LONG_TEXTS = {"a text of 64 million characters": "'x'.repeat(64e6)"}

TEXTS: dict[str, str] = {**NESTED, **ODD_TEXTS, **LONG_TEXTS}

DEEP = "(() => {{ let it = 1; for (let i = 0; i < 1000; i++) it = {}; return it }})()"

OBJECTS = {
    "a deep array": DEEP.format("[it]"),
    "a deep object": DEEP.format("{event: it, nonce: it, scope: it, told: it}"),
    "an object that contains itself": "(() => { const it = {event: 'session'}; it.nonce = it; return it })()",
    "an object of a million keys": "Object.fromEntries(Array.from({length: 1e6}, (_, i) => ['k' + i, i]))",
    "ten million numbers": "Array.from({length: 1e7}, (_, i) => i)",
    "a number": "5",
    "a big number": "10n ** 10000n",
    "null": "null",
    "undefined": "undefined",
    "a map": "new Map([['event', 'session']])",
    "a date": "new Date(NaN)",
    "a blob": "new Blob(['x'])",
    "a buffer": "new ArrayBuffer(64e6)",
    "a text in an object": "Object('[')",
    "a prototype": 'JSON.parse(\'{"__proto__": {"event": "session"}}\')',
    "a long nonce": "({event: 'session', nonce: 'x'.repeat(64e6), scope: '/api/auth'})",
    "half an emoji": "({event: 'session', nonce: '\\ud83d', scope: '/api/auth'})",
}


@dataclass
class Site:
    """A page with Python, and another one of the same origin.

    Attributes:
        faults: What has been thrown in the page with Python.
        control: Of the server.
    """

    python: PythonPage
    other: Page
    faults: list[str]
    control: ServerControl

    def post(self, channel: str, expression: str) -> None:
        """Post what a JavaScript expression makes."""
        self.other.evaluate(f"async () => {{ lines['{channel}'].postMessage({expression}) }}")

    def store(self, expression: str) -> None:
        """Write what a JavaScript expression makes to the storage key of next-auth v4."""
        self.other.evaluate(f"() => {{ localStorage.setItem('nextauth.message', {expression}) }}")

    def answer(self, text: str) -> None:
        """Answer the next request for the session with JSON that is too much for the server's control."""
        self.python.page.route(
            "**/session", lambda route: route.fulfill(content_type="application/json", body=text), times=1
        )

    def expect_alive(self) -> None:
        """Python runs and asks, and hears both kinds of JavaScript clients."""
        assert self.python.run(REFETCH) == ["unauthenticated", "None"]
        self.expect_heard(lambda: self.post("next-auth", "{event: 'session', data: {trigger: 'getSession'}}"))
        self.expect_heard(
            lambda: self.store("JSON.stringify({event: 'session', timestamp: performance.now()})")
        )
        assert self.faults == []
        self.python.expect_no_error_box()

    def expect_heard(self, speak: Any) -> None:
        with self.python.page.expect_request_finished(lambda request: request.url.endswith("/session")):
            speak()
        # Whoever speaks while that is answered would only interrupt it.
        self.python.run("while provider.state.refreshing: await __import__('asyncio').sleep(0)")


LINES = "() => { window.lines = Object.fromEntries(names.map((name) => [name, new BroadcastChannel(name)])) }"


@pytest.fixture(scope="module")
def opened(browser: Browser, auth_server: AuthServer) -> Iterator[Site]:
    context = browser.new_context()
    outside = prepare(context)
    page, other = context.new_page(), context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    other.goto(f"{auth_server.url}/static/dist/session-prefetch.js")  # shown as text, of the same origin
    other.evaluate("() => { window.names = ['next-auth', 'nextauth_py'] }")
    other.evaluate(LINES)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(START)
    yield Site(python, other, faults, ServerControl(auth_server.url))
    context.close()
    assert outside == []


@pytest.fixture
def site(opened: Site) -> Site:
    opened.control.reset()
    opened.faults.clear()
    return opened


@pytest.mark.parametrize("channel", ["nextauth_py", "next-auth"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_page_survives_a_text_on_a_channel(site: Site, channel: str, text: str) -> None:
    site.post(channel, TEXTS[text])
    site.expect_alive()


@pytest.mark.parametrize("channel", ["nextauth_py", "next-auth"])
@pytest.mark.parametrize("what", OBJECTS)
def test_a_page_survives_an_object_on_a_channel(site: Site, channel: str, what: str) -> None:
    site.post(channel, OBJECTS[what])
    site.expect_alive()


STORABLE = {**NESTED, **ODD_TEXTS}
del STORABLE["1,000,000 nested objects"]  # more than browsers store


@pytest.mark.parametrize("text", STORABLE)
def test_a_page_survives_a_text_in_the_storage(site: Site, text: str) -> None:
    site.store(STORABLE[text])
    site.expect_alive()


# --- while JavaScript and Python have called each other, one inside the other ---

# Of the 345 nested calls that Chromium has room for.
CALLS = 200

NEST = f"""
    import js
    from pyodide.ffi import create_proxy

    def nested(act, calls={CALLS}):
        call = create_proxy(lambda *_: nested(act, calls - 1) if calls else act())
        try:
            return js.Reflect.apply(call, None, js.Array.new())
        finally:
            call.destroy()
"""


@pytest.mark.parametrize("text", NESTED)
def test_a_page_survives_a_message_that_arrives_inside_of_nested_calls(site: Site, text: str) -> None:
    site.python.run(NEST)
    site.python.page.evaluate(f"() => {{ window.hostile = {NESTED[text]} }}")
    site.python.run("""
        def dispatch():
            options = js.Object.new()
            options.key = "nextauth.message"
            options.newValue = js.hostile
            js.window.dispatchEvent(js.StorageEvent.new("storage", options))
        nested(dispatch)
        None
    """)
    site.expect_alive()


DEEPEST = """
    import json
    from nextauth_py.core.bounded_json import DEEPEST, loads
    from nextauth_py.models import read_model
    from nextauth_py.core.store import is_same_session
    from nextauth_py.tabs.messages import Message, parse_message

    class Node(User):
        child: "Node | None" = None

    class Deep(Session):
        user: Node

    levels = 40  # pydantic itself refuses 50 levels of models in a browser
    text = '{"expires":"2099-01-01T00:00:00Z","user":' + '{"child":' * levels + "null" + "}" * levels + "}"
    levels = DEEPEST - 1
    odd = '{"expires":"2099-01-01T00:00:00Z","odd":' + '[' * levels + "]" * levels + "}"

    def read():
        for model, json_text in ((Deep, text), (Session, odd)):
            raw = loads(json_text)
            session = read_model(model, raw)
            assert is_same_session(session, read_model(model, loads(json_text)))
            assert session.model_copy() == session
            repr(session)
            message = Message("state", "a", (1, "a"), session=raw)
            assert parse_message(message.to_json("/"), "/", now=1.0).session == raw
        return True
"""


def test_the_deepest_session_can_be_read_compared_and_posted_in_nested_calls(site: Site) -> None:
    site.python.run(NEST)
    site.python.run(DEEPEST)
    assert site.python.run("read()")
    assert site.python.run("nested(read)")
    site.expect_alive()


# --- what the server answers ---


def session_with(levels: int) -> str:
    return (
        '{"expires":"2099-01-01T00:00:00Z","user":{"name":"Deep"},"odd":' + "[" * levels + "]" * levels + "}"
    )


@pytest.mark.parametrize("levels", [64, 1_000, 5_000, 100_000, 1_000_000])
def test_an_answer_that_is_too_deep_is_a_failure_and_the_next_one_counts(site: Site, levels: int) -> None:
    site.answer(session_with(levels))
    status, error = site.python.run(REFETCH)
    assert status == "unauthenticated"
    assert "levels" in error
    site.expect_alive()


def test_an_answer_that_is_too_long_is_a_failure_and_the_next_one_counts(site: Site) -> None:
    site.answer('{"user":{"name":"' + "x" * 2**20 + '"},"expires":"2099-01-01T00:00:00Z"}')
    assert "characters" in site.python.run(REFETCH)[1]
    site.expect_alive()


def test_the_deepest_session_is_shown(site: Site) -> None:
    site.control.answer(SESSION, session_with(63), times=2)
    assert site.python.run(REFETCH) == ["authenticated", "None"]
    assert site.python.run(REFETCH) == ["authenticated", "None"]
    site.expect_alive()


def test_a_name_with_half_an_emoji_is_shown_and_posted_to_other_tabs(site: Site) -> None:
    site.other.evaluate("""() => {
        window.heard = [];
        lines.nextauth_py.onmessage = ({ data }) => heard.push(JSON.parse(data));
    }""")
    site.control.answer(SESSION, r'{"user":{"name":"A\ud83d"},"expires":"2099-01-01T00:00:00Z"}')
    assert site.python.run(REFETCH) == ["authenticated", "None"]
    site.python.run("""
        @component("#target")
        def who():
            session = use_session()
            return session.data.user.name if session.data else session.status
    """)
    site.python.expect_text("#target", "A\ufffd")
    told = site.other.evaluate("() => heard.find(({ kind }) => kind === 'state').session.user.name")
    assert told == "A\ufffd"
    site.expect_alive()


# --- floods ---

FLOOD = """async (kind) => {
    const time = () => [Date.now() * 1000 + count, "flood"];
    let count = 0;
    for (; count < 2000; count++) {
        const message = { v: 1, scope: "/api/auth", kind, tab: `flood ${count}`, time: time(), epoch: time(),
            session: null, leads: 0, mutated: null, failure: null };
        if (kind === "javascript") lines["next-auth"].postMessage({ event: "session" });
        else lines.nextauth_py.postMessage(JSON.stringify(message));
        if (count % 100 === 0) await new Promise((done) => setTimeout(done));
    }
}"""


@pytest.mark.parametrize("kind", ["hello", "fence", "ack", "asking", "changed", "bye", "javascript"])
def test_a_flood_costs_few_requests_and_breaks_no_page(site: Site, kind: str) -> None:
    site.control.reset()
    site.other.evaluate(FLOOD, kind)
    assert site.python.run(REFETCH) == ["unauthenticated", "None"]
    assert len(site.control.requests()) < 60
    assert site.python.run("len(provider.engine.channel.peers) <= 200")
    site.expect_alive()
