"""An auth server whose paths have a slash behind, as Next.js's with `trailingSlash: true`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from demo.serve import AuthServer
from nextauth_py import ClientFetchError
from nextauth_py.testing import sign_in_as
from tests.servers import SITE_SCRIPT
from tests.servers.raw import RawServer, answer

from .python_page import PythonPage

NAME = "fetch('/api/auth/session').then(answer => answer.json()).then(session => session?.user?.name)"


@pytest.fixture(scope="module")
def server(start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation="v5", script=SITE_SCRIPT)


@pytest.mark.parametrize("location", ["/elsewhere/", "http://localhost:9/api/auth/csrf/", "/api/auth/csrf"])
def test_no_other_redirect_is_followed(page: Page, location: str) -> None:
    with RawServer() as raw:
        head = f"Location: {location}".encode()
        raw.answers = lambda _: [answer("", head, status=b"308 Permanent Redirect")]
        with pytest.raises(ClientFetchError, match="HTTP 308; it redirects elsewhere"):
            sign_in_as(page, base_url=raw.url, username="alice", password="wonder")
        assert len(raw.requests) == 1


def test_blocking_reads_in_a_worker(page: Page, server: AuthServer) -> None:
    """There the browser itself follows the redirect."""
    sign_in_as(page, base_url=server.url, username="alice", password="wonder")
    worker = PythonPage(page).open(f"{server.url}/worker.html")
    worker.run("from nextauth_py import blocking; 1")
    assert worker.run("blocking.get_session().user.name") == "Alice Liddell"
    assert worker.run("list(blocking.get_providers())") == ["credentials"]
    assert worker.run("bool(blocking.get_csrf_token())")
