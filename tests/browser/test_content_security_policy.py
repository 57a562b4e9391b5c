"""Pages under a strict content security policy: nothing is blocked, and the browser reports nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, Route, expect

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.servers.control import ServerControl

from .policies import STRICT, WITH_WORKERS, joined
from .python_page import wait_until
from .test_kept import PARTS

SESSION = "GET /api/auth/session"


@pytest.fixture
def under(control: ServerControl) -> Callable[[dict[str, str]], None]:
    """Has the server send a policy with all that it answers."""

    def send(policy: dict[str, str]) -> None:
        control.set_headers({"Content-Security-Policy": joined(policy)})

    return send


def open_strict(page: Page, server: AuthServer) -> None:
    page.goto(f"{server.url}/strict.html")
    expect(page.locator(":root[data-ready]")).to_have_count(1)


def test_the_policy_is_in_force(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    under(STRICT)
    open_strict(page, auth_server)
    for forbidden in ("document.body.innerHTML = '<p>'", "import('data:text/javascript,')"):
        with pytest.raises(Error):
            page.evaluate(forbidden)
    directives = [each.split()[0] for each in violations]
    assert {"script-src-elem", "require-trusted-types-for"} <= set(directives)


def test_a_visitor_signs_in_by_a_form_and_out(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    under(STRICT)
    open_strict(page, auth_server)
    expect(page.locator("#inline")).to_have_text("inline")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#name")).to_have_text("Alice Liddell")
    expect(page.locator("#name")).to_have_class("known")
    expect(page.locator("#picture")).to_have_attribute("alt", "Alice Liddell")
    expect(page.locator("#account b")).to_have_attribute("title", "alice@example.com")
    with page.expect_navigation():
        page.locator("#leave").click()
    expect(page.locator("#out")).to_be_visible()
    assert violations == []


def test_a_component_signs_in_and_out(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    under(STRICT)
    open_strict(page, auth_server)
    page.get_by_role("button", name="Sign in as Bob").click()
    expect(page.locator("#account b")).to_have_text("Bob")
    expect(page.locator("#account li")).to_have_text(["B", "o", "b"])
    with page.expect_navigation():
        page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
    assert violations == []


def test_the_next_visit_starts_from_what_is_kept(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    under(STRICT)
    open_strict(page, auth_server)
    wait_until(page, f"async () => (await (await caches.open('nextauth_py')).keys()).length === {len(PARTS)}")
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url))
    open_strict(page, auth_server)
    expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
    assert [url for url in loads if url.endswith(".bin")] == []
    assert violations == []


def test_the_session_is_asked_for_and_shown_before_python_is_there(
    page: Page,
    auth_server: AuthServer,
    control: ServerControl,
    under: Callable[..., None],
    violations: list[str],
) -> None:
    sign_in_as(page.context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    under(STRICT)
    held: list[Route] = []
    page.route("**/pyscript/core.js", lambda route: held.append(route))  # noqa: PLW0108 - no builtins here
    page.goto(f"{auth_server.url}/strict.html", wait_until="commit")
    expect(page.locator("#name")).to_have_text("Alice Liddell")
    expect(page.locator("#name")).to_be_visible()
    expect(page.locator(":root[data-ready]")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.locator("#account b")).to_have_text("Alice Liddell")
    assert control.requests() == [SESSION]
    assert violations == []


def test_a_worker_needs_blob_as_a_source_of_workers_and_nothing_else(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    sign_in_as(page.context, base_url=auth_server.url, username="alice", password="wonder")
    under(WITH_WORKERS)
    for _visit in ("the first", "the next, from what is kept"):
        page.goto(f"{auth_server.url}/strict-worker.html")
        expect(page.locator("#said")).to_have_text("Alice Liddell {}")
        expect(page.locator("#hooked")).to_have_text("the hook has run")
        assert violations == []


def test_a_worker_may_use_the_document_where_pyscript_lets_it(
    page: Page, auth_server: AuthServer, control: ServerControl, violations: list[str]
) -> None:
    isolated = {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }
    control.set_headers({"Content-Security-Policy": joined(WITH_WORKERS), **isolated})
    page.goto(f"{auth_server.url}/strict-worker.html")
    expect(page.locator("#shown")).to_have_text("by the worker")
    expect(page.locator("#said")).to_have_text("None {}")
    assert violations == []


def test_without_it_a_worker_is_blocked_and_the_console_says_so(
    page: Page, auth_server: AuthServer, under: Callable[..., None], violations: list[str]
) -> None:
    under({**WITH_WORKERS, "worker-src": "'self'"})
    with page.expect_console_message(lambda said: "worker-src 'self'" in said.text):
        page.goto(f"{auth_server.url}/strict-worker.html")
