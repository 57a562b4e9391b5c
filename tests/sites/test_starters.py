"""What `nextauth-py new` writes works at the first try."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from nextauth_py.testing import sign_in_as
from tests.browser.browsers import load_config

from .starters import LAUNCH_OPTIONS, Starter

CONFIG = load_config()
expect.set_options(timeout=CONFIG.EXPECT_TIMEOUT)


# With and without a base path.
SITES = [("express", ""), ("next", "/shop"), ("fastapi", "/shop")]


@pytest.fixture(scope="module", params=SITES, ids=lambda site: site[0])
def starter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    kind, base_path = request.param
    starter = Starter(kind, tmp_path_factory.mktemp("starters") / "my-site", base_path=base_path)
    starter.install()
    if starter.has("build"):
        starter.npm_run("build")
    with starter:
        yield starter


@pytest.fixture(scope="module")
def chromium(playwright: Any) -> Iterator[Browser]:
    browser = playwright.chromium.launch(**LAUNCH_OPTIONS)
    yield browser
    browser.close()


@pytest.fixture
def visit(chromium: Browser, starter: Starter) -> Iterator[BrowserContext]:
    """A visitor, whose console must stay clean."""
    context = chromium.new_context(base_url=starter.url)
    context.set_default_timeout(CONFIG.ACTION_TIMEOUT)
    said: list[str] = []
    context.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    context.on("weberror", lambda error: said.append(f"error: {error.error}"))
    yield context
    context.close()
    assert [line for line in said if line.startswith(("error", "warning"))] == []


def open_page(context: BrowserContext, starter: Starter, path: str = "/") -> Page:
    page = context.new_page()
    page.goto(starter.url + path)
    return page


def sign_in(page: Page, user: str, password: str) -> None:
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def header_lines(page: Page) -> list[list[str]]:
    """What stands in each line of the header on a phone."""
    page.set_viewport_size({"width": 360, "height": 640})
    lines: dict[int, list[str]] = {}
    for each in page.locator("header :is(strong, a, span)").all():
        box = each.bounding_box() or {"y": -1}
        lines.setdefault(round(box["y"]), []).append(each.inner_text())
    return list(lines.values())


def test_a_visitor_signs_in_and_out(visit: BrowserContext, starter: Starter) -> None:
    page = open_page(visit, starter)
    expect(page.get_by_label("User name")).to_be_visible()
    sign_in(page, "bob", "wrong")
    expect(page.get_by_text("That name and password do not go together.")).to_have_class("error")
    assert "CredentialsSignin" not in starter.log  # a wrong password is no failure of the site
    sign_in(page, "bob", "builder")
    expect(page.get_by_role("heading", name="Bob")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_guarded_pages_lead_to_the_sign_in_and_back(visit: BrowserContext, starter: Starter) -> None:
    page = open_page(visit, starter, "/members")
    expect(page.get_by_text("Sign in, and you get back to where you were.")).to_have_class("notice")
    sign_in(page, "bob", "builder")
    expect(page.get_by_text("Welcome, Bob. The server knows you.")).to_be_visible()
    assert page.url == f"{starter.url}/members"
    page.get_by_role("link", name="Admins").click()
    expect(page.get_by_role("heading", name="Not for you")).to_be_visible()


def test_an_admin_sees_the_page_for_admins(visit: BrowserContext, starter: Starter) -> None:
    page = open_page(visit, starter, "/admins")
    sign_in(page, "alice", "wonder")
    expect(page.get_by_text("Alice has the role “admin”.")).to_be_visible()


def test_its_api_answers_members_only(visit: BrowserContext, starter: Starter) -> None:
    assert visit.request.get(f"{starter.url}/api/me").status == 401
    sign_in_as(visit, username="bob", password="builder", **starter.auth)
    assert visit.request.get(f"{starter.url}/api/me").json() == {"name": "Bob"}


def test_what_never_changes_is_kept_and_all_else_asked_for_again(starter: Starter) -> None:
    bundle = starter.folder / "public/py"
    (snapshot,) = bundle.glob("pyodide/*/snapshot.bin")
    (core,) = bundle.glob("pyscript/core-*.js")
    for path in (snapshot, core):
        kept = starter.headers(f"/py/{path.relative_to(bundle).as_posix()}")
        assert kept["Cache-Control"] == "public, max-age=31536000, immutable"
    for name in ("/py/pyscript.json", "/py/pyscript/core.js", "/pages/account.py", "/style.css"):
        assert starter.headers(name)["Cache-Control"] in {"no-cache", "public, max-age=0"}


def test_files_are_compressed_once(starter: Starter) -> None:
    bundle = starter.folder / "public/py"
    for path in bundle.glob("pyodide/**/*.*"):
        if path.suffix in {".mjs", ".wasm", ".bin", ".whl"} and path.stat().st_size > 2000:
            headers = starter.headers(f"/py/{path.relative_to(bundle).as_posix()}")
            is_compressed = path.suffix in {".bin", ".whl"}
            assert headers.get("Content-Encoding") == (None if is_compressed else "gzip"), path.name


def test_a_page_says_that_its_python_is_missing(chromium: Browser, starter: Starter) -> None:
    page = chromium.new_page()
    page.route("**/pages/account.py", lambda route: route.fulfill(status=404))
    page.goto(f"{starter.url}/")
    expect(page.get_by_role("alert").filter(has_text="is missing on the server")).to_be_visible()
    page.close()


def test_only_this_machine_reaches_it(starter: Starter) -> None:
    # A server on all addresses listens there too.
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection(("127.0.0.2", urlsplit(starter.origin).port or 0), timeout=5)


def test_a_port_in_use_is_named(starter: Starter) -> None:
    output = starter.start_again()
    assert re.search("in use", output), output
    assert starter.kind == "next" or "    at " not in output, output


def test_its_policy_is_strict(starter: Starter) -> None:
    policy = dict(each.split(" ", 1) for each in starter.headers("/")["Content-Security-Policy"].split("; "))
    scripts = re.sub(r" 'nonce-[\w+/=]+'", "", policy.pop("script-src"))
    assert scripts == "'self' 'wasm-unsafe-eval'"
    assert policy == {
        "default-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_variables_let_github_in_and_the_users_to_try_out(visit: BrowserContext, starter: Starter) -> None:
    github = {"AUTH_GITHUB_ID": "our-id", "AUTH_GITHUB_SECRET": "our-secret"}
    with starter.once_more(TRY_USERS="", **github) as other:
        page = open_page(visit, other)
        expect(page.get_by_role("button", name="Sign in with GitHub")).to_be_visible()
        expect(page.get_by_label("Password")).to_have_count(0)
        with pytest.raises(ValueError, match="refuses the sign-in"):
            sign_in_as(visit, username="alice", password="wonder", **other.auth)
        token = visit.request.get(f"{other.origin}{other.auth_path}/csrf").json()["csrfToken"]
        asked = visit.request.post(
            f"{other.origin}{other.auth_path}/signin/github",
            form={"csrfToken": token, "callbackUrl": other.url},
            headers={"X-Auth-Return-Redirect": "1"},
        )
        url = urlsplit(asked.json()["url"])
    assert url.hostname == "github.com"
    callback = f"{other.origin}{other.auth_path}/callback/github"
    assert parse_qs(url.query)["redirect_uri"] == [callback]


def test_behind_a_proxy_it_knows_its_public_address(starter: Starter) -> None:
    variables = {
        "express": {"TRUST_PROXY": "yes", "NODE_ENV": "production"},
        "next": {"AUTH_URL": "https://your.example"},
        "fastapi": {"NEXTAUTH_URL": f"https://your.example{starter.auth_path}", "NODE_ENV": "production"},
    }
    with starter.once_more(**variables[starter.kind]) as other:
        url = f"{other.origin}{other.auth_path}"
        headers = {"Host": "your.example", "X-Forwarded-Proto": "https"}
        providers = httpx.get(f"{url}/providers", headers=headers, trust_env=False).json()
        cookies = httpx.get(f"{url}/csrf", headers=headers, trust_env=False).headers.get_list("Set-Cookie")
    callback = providers["credentials"]["callbackUrl"]
    assert callback == f"https://your.example{other.auth_path}/callback/credentials"
    assert any(cookie.startswith("__Host-authjs.csrf-token=") for cookie in cookies)


def test_its_own_tests_pass(starter: Starter) -> None:
    assert "5 passed" in starter.run_tests()


def test_its_own_tests_in_a_browser_pass(starter: Starter) -> None:
    told = starter.run_tests("tests/test_site.py", "--base-url", starter.origin)
    assert "2 passed" in told, told


@pytest.mark.parametrize("starter", [("next", "/shop")], indirect=True, ids=["next"])
def test_react_on_the_same_page_follows_python(visit: BrowserContext, starter: Starter) -> None:
    page = open_page(visit, starter)
    header = page.locator("header")
    expect(header).to_contain_text("Nobody")
    assert header_lines(page) == [["my-site", "Nobody"], ["Account", "Members", "Admins"]]
    sign_in(page, "bob", "builder")
    expect(header).to_contain_text("Bob")
    page.get_by_role("button", name="Sign out").click()
    expect(header).to_contain_text("Nobody")
