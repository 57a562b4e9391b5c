"""Where the auth server is, and where a page may be sent."""

from __future__ import annotations

from collections import deque
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextauth_py import UnsafeRedirectError
from nextauth_py.core.urls import (
    AuthUrl,
    as_texts,
    encoded,
    origin_of,
    resolve_auth_url,
    safe_redirect,
    without_verdict,
)

PAGE = "https://app.example/account?tab=1#top"


def resolve(
    base_url: Any = None, base_path: Any = None, *, in_browser: bool = True, **environ: str
) -> AuthUrl:
    return resolve_auth_url(base_url, base_path, environ, in_browser=in_browser)


def test_the_default_is_this_origin_at_api_auth() -> None:
    assert resolve() == AuthUrl("", "/api/auth")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.com", "/api/auth"),
        ("https://example.com/", "/api/auth"),
        ("https://example.com/custom/auth/", "/custom/auth"),
        ("https://example.com/custom?query#hash", "/custom"),
        ("example.com/custom", "/custom"),
    ],
)
def test_in_a_browser_the_environment_gives_the_path_alone(url: str, path: str) -> None:
    assert resolve(NEXTAUTH_URL=url) == AuthUrl("", path)
    assert resolve(AUTH_URL=url) == AuthUrl("", path)


def test_on_a_server_the_internal_address_comes_first() -> None:
    found = resolve(
        in_browser=False,
        NEXTAUTH_URL="https://public.example",
        NEXTAUTH_URL_INTERNAL="http://localhost:3000/auth",
    )
    assert found == AuthUrl("http://localhost:3000", "/auth")


def test_options_win_over_the_environment() -> None:
    assert resolve(base_path="/mine", NEXTAUTH_URL="https://example.com/theirs") == AuthUrl("", "/mine")
    assert resolve(base_url="https://auth.example:443/a/") == AuthUrl("https://auth.example", "/a")
    assert resolve(base_url="https://auth.example", base_path="/b") == AuthUrl("https://auth.example", "/b")


@pytest.mark.parametrize("url", ["https://app.example", "APP.example:443/", "https://app.example/api/auth/"])
def test_the_origin_of_the_page_is_no_other_origin(url: str) -> None:
    assert resolve_auth_url(url, None, {}, in_browser=True, page=PAGE) == AuthUrl()
    assert resolve_auth_url(url, "/b/", {}, in_browser=True, page=PAGE) == AuthUrl("", "/b")


@pytest.mark.parametrize("url", ["https://app.example//api/auth", "https://app.example///api/auth//"])
def test_slashes_in_front_of_the_path_name_no_host(url: str) -> None:
    assert resolve_auth_url(url, None, {}, in_browser=True, page=PAGE) == AuthUrl("", "/api/auth")
    assert resolve(NEXTAUTH_URL=url) == AuthUrl("", "/api/auth")
    assert resolve(in_browser=False, NEXTAUTH_URL=url).endpoint() == "https://app.example/api/auth"


@pytest.mark.parametrize("page", ["https://xn--bcher-kva.example:8443/shop", "https://other.example/"])
def test_an_international_host_name_is_as_browsers_write_it(page: str) -> None:
    found = resolve_auth_url("https://Bücher.example:8443", None, {}, in_browser=True, page=page)
    assert found.origin == ("" if "xn--" in page else "https://xn--bcher-kva.example:8443")


@pytest.mark.parametrize("url", ["https://user:secret@auth.example", "user@auth.example"])
def test_a_password_in_an_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match="base_url must not have a user name or password in it") as raised:
        resolve_auth_url(url, None, {}, in_browser=True, page=PAGE)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://app.example", "https://app.example:8443", "https://www.app.example"])
def test_an_origin_that_looks_similar_is_another(url: str) -> None:
    assert resolve_auth_url(url, None, {}, in_browser=True, page=PAGE).origin == url


def test_an_endpoint_has_its_query_encoded() -> None:
    auth = AuthUrl("", "/api/auth")
    assert auth.endpoint("signin", callbackUrl="/a?b=c&d") == "/api/auth/signin?callbackUrl=%2Fa%3Fb%3Dc%26d"
    assert auth.endpoint("session") == "/api/auth/session"


@pytest.mark.parametrize(
    "value", ["https://", "https://a:port", "ftp://a.example", "http://[", "https://a b", "\n"]
)
def test_an_address_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValueError, match="NEXTAUTH_URL=.*Write it like"):
        resolve(NEXTAUTH_URL=value)
    with pytest.raises(ValueError, match="base_url=.*Write it like"):
        resolve(base_url=value)


@pytest.mark.parametrize(
    "value", ["api/auth", "", "//evil.example", "/a?b", "/a#b", "/a b", "/a\\b", "/a\nb"]
)
def test_a_base_path_that_is_none_is_refused_with_the_remedy(value: str) -> None:
    with pytest.raises(ValueError, match="base_path=.*one slash in front"):
        resolve(base_path=value)


@pytest.mark.parametrize(("option", "value"), [("base_url", 3), ("base_path", 3), ("base_path", b"/api")])
def test_an_option_of_the_wrong_type_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(TypeError, match=option):
        resolve(**{option: value})


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/dashboard", "https://app.example/dashboard"),
        ("?tab=2", "https://app.example/account?tab=2"),
        ("#end", "https://app.example/account?tab=1#end"),
        ("settings", "https://app.example/settings"),
        ("", "https://app.example/account?tab=1"),
        (";", "https://app.example/;"),
        ("../up", "https://app.example/../up"),
        ("https://app.example/x", "https://app.example/x"),
        ("HTTPS://app.example/x", "HTTPS://app.example/x"),
        ("/search?q=a b", "https://app.example/search?q=a b"),
        ("/user@host", "https://app.example/user@host"),
        ("/ünï", "https://app.example/ünï"),
        ("/files?path=C:\\temp", "https://app.example/files?path=C:\\temp"),
        ("?path=\\\\host\\share", "https://app.example/account?path=\\\\host\\share"),
        ("#a\\b", "https://app.example/account?tab=1#a\\b"),
        ("https://app.example?\\", "https://app.example?\\"),
        ("https://app.example#\\@evil.example", "https://app.example#\\@evil.example"),
    ],
)
def test_ordinary_targets_are_made_absolute(url: str, target: str) -> None:
    assert safe_redirect(url, page=PAGE, same_origin=True) == target


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b?c",
        "https://app.example\\?@evil.example",
        "https://app.example\\#",
        "/\t/evil.example",
        "\x00https://app.example",
        " https://evil.example",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "blob:https://app.example/1",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://app.example@evil.example",
        "https://evil。example",
        "https://[",
        "https://a:b",
        "https://app.example\u202e/x",
    ],
)
def test_deceptive_targets_are_refused(url: str) -> None:
    with pytest.raises(UnsafeRedirectError):
        safe_redirect(url, page=PAGE)


@pytest.mark.parametrize(
    "path", ["/files?path=C:\\temp", "//evil.example", "/a\\b", "/?q=a ", "/#\u200b", "/a\tb?error=x\\"]
)
def test_the_pages_own_address_is_safe(path: str) -> None:
    page = f"https://app.example{path}"
    assert safe_redirect(page, page=page, same_origin=True) == page
    assert safe_redirect(without_verdict(page), page=page) == without_verdict(page)


def test_a_refusal_says_why() -> None:
    for url, why in (
        ("https://app.example@evil.example", "user name"),
        ("https://evil。example", "not plain ASCII"),
        ("//evil.example", "without a scheme"),
        ("javascript:x", "only http and https"),
    ):
        with pytest.raises(UnsafeRedirectError, match=why):
            safe_redirect(url, page=PAGE)


def test_another_origin_is_refused_only_where_asked() -> None:
    assert safe_redirect("https://id.example/x", page=PAGE) == "https://id.example/x"
    for url in ("https://id.example/x", "http://app.example/", "https://app.example:8443/"):
        with pytest.raises(UnsafeRedirectError, match="another origin"):
            safe_redirect(url, page=PAGE, same_origin=True)


def test_other_values_than_text_are_refused() -> None:
    with pytest.raises(UnsafeRedirectError):
        safe_redirect(None, page=PAGE)  # type: ignore[arg-type]


def test_a_refused_url_is_shown_shortened() -> None:
    with pytest.raises(UnsafeRedirectError) as caught:
        safe_redirect("javascript:" + "x" * 1000, page=PAGE)
    assert len(str(caught.value)) < 250


@given(
    st.text(
        alphabet=st.sampled_from("/\\:@.?#htps javcri\t\n\x00\u202eé。1[]%") | st.characters(), max_size=30
    )
)
def test_any_text_is_refused_cleanly_or_stays_on_the_origin(url: str) -> None:
    try:
        target = safe_redirect(url, page=PAGE, same_origin=True)
    except UnsafeRedirectError:
        return
    assert origin_of(target) == "https://app.example"
    assert urlsplit(target).username is None


HOSTILE = ["evil.example", "evil.example/x", ".evil.example", "evil.example?/", ";", "@evil.example", "x/y"]
BARE_PAGES = [
    "https://app.example",
    "https://app.example?",
    "https://app.example#",
    "https://app.example?next=/a/b/",
    "https://app.example#/a/b/",
    "https://app.example/?",
    "https://app.example/a?b=/c/d#/e/f",
    "https://app.example//",
    "https://app.example:443",
]


@pytest.mark.parametrize("page", BARE_PAGES)
@pytest.mark.parametrize("url", [*HOSTILE, "", "?q", "#f", "/x", "."])
def test_on_a_page_without_a_path_relative_urls_stay_on_the_origin_too(page: str, url: str) -> None:
    target = safe_redirect(url, page=page)
    assert target.startswith("https://app.example/")
    assert origin_of(safe_redirect(url, page=page, same_origin=True)) == "https://app.example"


@pytest.mark.parametrize(
    ("page", "url", "target"),
    [
        ("https://app.example", "evil.example", "https://app.example/evil.example"),
        ("https://app.example", "", "https://app.example/"),
        ("https://app.example", "?q", "https://app.example/?q"),
        ("https://app.example?a#b", "#c", "https://app.example/?a#c"),
        ("https://app.example/a/b?", "", "https://app.example/a/b?"),
        ("https://app.example/a/b?", "#c", "https://app.example/a/b?#c"),
        ("https://app.example/a/b#", "", "https://app.example/a/b"),
        ("https://app.example/a/b?c=/d/e", "f", "https://app.example/a/f"),
        ("https://app.example/a/b?c=/d/e", "?f", "https://app.example/a/b?f"),
        ("https://app.example/a//b", "c", "https://app.example/a//c"),
        ("https://app.example/a/b", ";", "https://app.example/a/;"),
        ("https://app.example/a/b;c/d", ";e", "https://app.example/a/b;c/;e"),
    ],
)
def test_relative_urls_are_joined_as_browsers_do(page: str, url: str, target: str) -> None:
    assert safe_redirect(url, page=page) == target


@pytest.mark.parametrize(
    "page", ["about:blank", "about:srcdoc", "blob:https://app.example/1", "data:text/html,x", "file:///a/b"]
)
@pytest.mark.parametrize("url", [*HOSTILE, "", "?q", "/x"])
def test_a_page_without_a_host_leads_nowhere(page: str, url: str) -> None:
    with pytest.raises(UnsafeRedirectError):
        safe_redirect(url, page=page)


@given(
    st.sampled_from(BARE_PAGES),
    st.text(alphabet=st.sampled_from("/:@.?#;evil&%=") | st.characters(), max_size=20),
)
def test_any_text_stays_on_the_origin_of_any_page(page: str, url: str) -> None:
    try:
        target = safe_redirect(url, page=page, same_origin=True)
    except UnsafeRedirectError:
        return
    assert origin_of(target) == "https://app.example"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("x\ud83dy", "x\ufffdy"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        *((text, text) for text in ("\N{GRINNING FACE}", "\ud7ff\ue000", "%ED%A0%80", "í")),
    ],
)
def test_half_an_emoji_is_sent_as_browsers_send_it(text: str, sent: str) -> None:
    assert parse_qsl(encoded({text: text})) == [(sent, sent)]


@pytest.mark.parametrize(
    "values", [["a", None, "b"], {"a": 1, "b": 2}.keys(), deque("ab"), (each for each in "ab")], ids=type
)
def test_whatever_holds_several_is_sent_one_by_one(values: object) -> None:
    assert encoded(as_texts({"tag": values, "name": "ab"})) == "tag=a&tag=b&name=ab"
