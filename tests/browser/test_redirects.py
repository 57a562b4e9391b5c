"""Where a page may be sent, judged by the URL parser of a real browser."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from demo.serve import AuthServer
from nextauth_py import UnsafeRedirectError
from nextauth_py.core.urls import safe_redirect

# What has fooled checks before: what parsers strip, fold, or take for a slash or the end of a host.
PARTS = st.sampled_from(
    [
        *(
            "http:",
            "https:",
            "HTTPS:",
            "javascript:",
            "data:",
            "blob:",
            "file:",
            "ws:",
            "//",
            "/",
            "\\",
            "///",
        ),
        *(
            "\t",
            "\n",
            "\r",
            "\x00",
            "\x1f",
            " ",
            "\x7f",
            "\x85",
            "\xa0",
            "\u2028",
            "\u200b",
            "\u202e",
            "\ufeff",
        ),
        *(
            "localhost",
            "evil.example",
            "@",
            "user:pass@",
            ":80",
            ":x",
            "[::1]",
            "[",
            "]",
            "%00",
            "%2f",
            "%5c",
            "%",
        ),
        *(
            "。",
            chr(0xFF0F),
            chr(0xFF20),
            "é",
            "ß",
            "😀",
            "?",
            "#",
            ".",
            "..",
            ";",
            "a",
            "callback?error=x",
            "xn--",
            "0x7f.1",
            "1",
        ),
    ]
)
URLS = st.lists(PARTS | st.characters().map(str), max_size=8).map("".join)

BROWSERS_VIEW = """([given, target]) => {
    const parse = (url) => { try { return new URL(url, location.href) } catch { return null } };
    const [meant, checked] = [parse(given), parse(target)];
    return checked && {
        same: meant?.href === checked.href,
        origin: checked.origin,
        protocol: checked.protocol,
        user: checked.username + checked.password,
    };
}"""


@pytest.fixture
def somewhere(page: Page, auth_server: AuthServer) -> Page:
    page.goto(f"{auth_server.url}/api/auth/csrf")
    return page


@pytest.mark.parametrize("same_origin", [True, False])
def test_accepted_redirects_go_where_the_check_read_them(somewhere: Page, *, same_origin: bool) -> None:
    page_url = somewhere.url
    origin = page_url.removesuffix("/api/auth/csrf")

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(URLS)
    def check(url: str) -> None:
        try:
            target = safe_redirect(url, page=page_url, same_origin=same_origin)
        except UnsafeRedirectError:
            return
        seen = somewhere.evaluate(BROWSERS_VIEW, [url, target])
        if seen is None:  # the browser would not go anywhere
            return
        assert seen["same"]
        assert seen["protocol"] in {"http:", "https:"}
        assert seen["user"] == ""
        if same_origin:
            assert seen["origin"] == origin

    check()
