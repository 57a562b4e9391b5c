"""`nextauth-py check` on a virtual network: each fault of a site is one line that says what to write."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from nextauth_py.check.fetch import Fetcher, UnreachableError
from nextauth_py.check.files import named_in_interpreter
from nextauth_py.check.findings import Finding
from nextauth_py.check.policy import allows
from nextauth_py.check.site import check_site

SITE = "https://shop.example"
WHEEL = "nextauth_py-0.1.0-0abc-py3-none-any.whl"
PAGE = """<!doctype html>
<script src="/py/session-prefetch.js"></script>
<script type="module" src="/py/pyscript/core.js"></script>
<script type="py" src="/account.py" config="/py/pyscript.json"></script>
"""
CSRF = "__Host-authjs.csrf-token=t0ken|hash; Path=/; HttpOnly; Secure; SameSite=Lax"
NEVER_KEPT = ("cache-control", "private, no-store")
KEPT = ("cache-control", "public, max-age=31536000, immutable")
HASHED = "/py/pyodide/0123abcd/packages.bin"

Headers = list[tuple[str, str]]
Respond = tuple[int, Headers, bytes]


def respond(
    body: Any, *headers: tuple[str, str], kind: str = "application/json", status: int = 200
) -> Respond:
    content = (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    return status, [("content-type", kind), *headers], content


def html(body: str = PAGE, *headers: tuple[str, str]) -> Respond:
    return respond(body, *headers, kind="text/html; charset=utf-8")


def script(body: str = "", *headers: tuple[str, str]) -> Respond:
    return respond(body, *headers, kind="text/javascript")


@dataclass
class FakeSite:
    """A site in which all is well, until a test changes an answer."""

    answers: dict[str, Respond] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        signin = {"github": {"signinUrl": f"{SITE}/api/auth/signin/github"}}
        lock = {"packages": {"nextauth-py": {"file_name": WHEEL}}}
        self.answers = {
            "/account": html(),
            "/account.py": respond("", kind="text/x-python"),
            "/api/auth/session": respond(None, NEVER_KEPT),
            "/api/auth/csrf": respond({"csrfToken": "t0ken"}, NEVER_KEPT, ("set-cookie", CSRF)),
            "/api/auth/providers": respond(signin, NEVER_KEPT),
            "/py/pyscript/core.js": script(),
            "/py/pyscript.json": respond({}),
            "/py/pyodide/interpreter.mjs": script('"0123abcd/packages.bin"'),
            "/py/pyodide/pyodide.mjs": script(),
            "/py/lit/lit.js": script(),
            "/py/pyodide/pyodide-lock.json": respond(lock),
            HASHED: respond("", KEPT, kind="application/octet-stream"),
        }

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        status, headers, body = self.answers.get(
            request.url.path, (404, [("content-type", "text/html")], b"<p>no")
        )
        return httpx.Response(status, headers=headers, content=body)

    def move(self, old: str, new: str) -> None:
        for path in [path for path in self.answers if path.startswith(old)]:
            self.answers[path.replace(old, new, 1)] = self.answers.pop(path)


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


def check(site: FakeSite, path: str = "/account", **options: Any) -> list[Finding]:
    options = {"base_path": None, "bundle": None, "installed": WHEEL, **options}
    with httpx.Client(transport=httpx.MockTransport(site.handle)) as client:
        return list(check_site(Fetcher(client), f"{SITE}{path}", **options))


def worst(findings: list[Finding]) -> list[str]:
    return [str(each) for each in findings if each.level in {"warning", "error"}]


def test_a_site_in_which_all_is_well_has_only_good_lines(site: FakeSite) -> None:
    findings = check(site)
    assert {each.level for each in findings} == {"ok"}
    assert str(findings[0]) == f"ok       {SITE}/api/auth/session: Auth.js v5, with base_path='/api/auth'."
    assert sorted(site.asked) == sorted([*set(site.asked), "/py/pyscript/core.js"])  # that with a session too
    assert "t0ken" not in " ".join(map(str, findings))


def set_answer(path: str, answer: Respond) -> Callable[[FakeSite], None]:
    return lambda site: site.answers.__setitem__(path, answer)


def redirect(to: str) -> Respond:
    return 307, [("location", to)], b""


def lock_of(wheel: str) -> Respond:
    return respond({"packages": {"nextauth-py": {"file_name": wheel}}})


def policy(text: str) -> Callable[[FakeSite], None]:
    return set_answer("/account", html(PAGE, ("content-security-policy", text)))


CDN = PAGE.replace("/py/pyscript/core.js", "https://pyscript.net/releases/2026.3.1/core.js")
LARGE = "//" + "x" * 200_000
FAULTS: list[tuple[Callable[[FakeSite], None], str, str]] = [
    # the auth routes
    (
        lambda site: site.move("/api/auth", "/elsewhere"),
        "error",
        "answers HTTP 404. Name the right place with --base-path",
    ),
    (
        set_answer("/api/auth/session", html("<p>Sign in")),
        "error",
        "answers HTML, not JSON. Does middleware protect",
    ),
    (
        set_answer("/api/auth/session", redirect("/login?next=x")),
        "error",
        f"redirects to {SITE}/login. Does middleware",
    ),
    (set_answer("/api/auth/session", respond({"message": "no"}, status=500)), "error", "a secret is missing"),
    (
        set_answer("/api/auth/session", respond({"user": {}}, NEVER_KEPT)),
        "error",
        "though nobody is signed in",
    ),
    (set_answer("/api/auth/session", respond(None)), "warning", "Write Cache-Control: private, no-store"),
    (
        set_answer("/api/auth/session", respond(None, ("cache-control", "public, s-maxage=60"))),
        "error",
        "to others",
    ),
    (
        set_answer("/api/auth/session", respond(None, ("cache-control", "max-age=60"))),
        "error",
        "Cache-Control: max-age=60",
    ),
    (
        set_answer("/api/auth/session", respond(None, NEVER_KEPT, ("cf-cache-status", "HIT"))),
        "error",
        "shared cache",
    ),
    (
        set_answer("/api/auth/session", respond(None, NEVER_KEPT, ("age", "7"))),
        "error",
        "comes from a shared cache",
    ),
    (
        set_answer("/api/auth/csrf", respond({"csrfToken": "t0ken"}, NEVER_KEPT)),
        "error",
        "sets no csrf cookie",
    ),
    (set_answer("/api/auth/csrf", respond({}, NEVER_KEPT)), "error", "no csrf token (HTTP 200)"),
    (set_answer("/api/auth/csrf", html("<p>no")), "error", "no csrf token (HTTP 200)"),
    (set_answer("/api/auth/providers", respond({}, NEVER_KEPT)), "error", "no providers: nobody can sign in"),
    (set_answer("/api/auth/providers", respond([1], NEVER_KEPT)), "error", "no list of providers"),
    (
        set_answer(
            "/api/auth/providers",
            respond({"x": {"signinUrl": "http://localhost:3000/api/auth/signin/x"}}, NEVER_KEPT),
        ),
        "warning",
        "the server takes itself for http://localhost:3000. Set NEXTAUTH_URL or AUTH_URL to https://shop.example",
    ),
    (
        set_answer("/api/auth/providers", respond({"x": {"signinUrl": f"{SITE}/auth/signin/x"}}, NEVER_KEPT)),
        "error",
        "its sign-in routes are at /auth/signin. Tell the server its base path",
    ),
    # cookies
    (
        set_answer(
            "/api/auth/csrf",
            respond(
                {"csrfToken": "t"}, NEVER_KEPT, ("set-cookie", "next-auth.csrf-token=x; Path=/; HttpOnly")
            ),
        ),
        "warning",
        "cookie next-auth.csrf-token: not Secure: the server takes the site for http",
    ),
    (
        set_answer(
            "/api/auth/csrf",
            respond({"csrfToken": "t"}, NEVER_KEPT, ("set-cookie", CSRF + "; Domain=x.example")),
        ),
        "error",
        "__Host- with a Domain",
    ),
    (
        set_answer(
            "/api/auth/csrf",
            respond({"csrfToken": "t"}, NEVER_KEPT, ("set-cookie", CSRF.replace("HttpOnly; ", ""))),
        ),
        "warning",
        "not HttpOnly",
    ),
    # the bundle
    (
        set_answer("/py/pyscript/core.js", html("<p>Sign in")),
        "error",
        "HTML in its place. Does middleware protect it?",
    ),
    (set_answer("/py/pyodide/interpreter.mjs", redirect("/login")), "error", f"redirects to {SITE}/login"),
    (
        set_answer("/py/lit/lit.js", respond("", kind="text/plain", status=404)),
        "error",
        "HTTP 404. Is the bundle built",
    ),
    (
        set_answer("/py/pyodide/pyodide.mjs", respond("", kind="text/plain")),
        "error",
        "Content-Type text/plain. Serve .mjs as",
    ),
    (
        set_answer("/py/lit/lit.js", script("", ("set-cookie", "a=t0ken; Path=/"))),
        "warning",
        "sets cookies (a). Leave static",
    ),
    (
        set_answer(HASHED, respond("", KEPT, ("set-cookie", "a=t0ken"), kind="x/y")),
        "error",
        "hand one visitor's cookie to others",
    ),
    (set_answer(HASHED, respond("", kind="x/y")), "warning", "browsers ask for it at each visit"),
    (
        set_answer("/py/pyscript/core.js", script("", KEPT)),
        "error",
        "go on with an old bundle after an update",
    ),
    (set_answer("/py/pyodide/pyodide.mjs", script(LARGE)), "warning", "0.2 MB, not compressed"),
    (
        set_answer("/py/pyodide/pyodide-lock.json", lock_of("nextauth_py-0.0.9-py3-none-any.whl")),
        "warning",
        "another version",
    ),
    (set_answer("/py/pyodide/pyodide-lock.json", respond({})), "error", "no bundle's lock file"),
    (set_answer("/account.py", html("<p>Sign in")), "error", "/account.py: HTML in its place"),
    # the page
    (set_answer("/account", html(PAGE.replace(' type="module"', ""))), "error", "not as a module"),
    (
        set_answer("/account", html(PAGE.replace('prefetch.js"', 'prefetch.js" data-base-path="/auth"'))),
        "error",
        'session-prefetch.js: asks at /auth. Write data-base-path="/api/auth"',
    ),
    (
        set_answer("/account", html(PAGE, ("cache-control", "public, max-age=60"), ("set-cookie", "a=1"))),
        "warning",
        "Write private, or set none",
    ),
    (policy("script-src 'self'"), "error", "script-src without 'wasm-unsafe-eval': Python cannot start"),
    (
        policy("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"),
        "error",
        "connect-src without 'self'",
    ),
    (
        policy("script-src https://cdn.example 'wasm-unsafe-eval'"),
        "error",
        "does not let https://shop.example/py/pyscript",
    ),
    (
        policy("script-src 'nonce-x' 'strict-dynamic' 'wasm-unsafe-eval'"),
        "warning",
        "Give PyScript's script tag the nonce",
    ),
    (policy("sandbox allow-scripts"), "error", "the page has no cookies"),
    (
        set_answer(
            "/account",
            html(CDN, ("content-security-policy", "script-src https://pyscript.net 'wasm-unsafe-eval'")),
        ),
        "error",
        "script-src without 'unsafe-eval'",
    ),
    (
        set_answer(
            "/account",
            html(
                PAGE.replace(
                    "<script src",
                    '<meta http-equiv="Content-Security-Policy" content="script-src *"><script src',
                )
            ),
        ),
        "error",
        "'wasm-unsafe-eval'",
    ),
    (
        set_answer(
            "/account",
            html(
                PAGE.replace('type="py"', 'type="py" worker'),
                ("content-security-policy", "worker-src 'none'"),
            ),
        ),
        "error",
        "worker-src without 'self'",
    ),
]


@pytest.mark.parametrize(("break_it", "level", "words"), FAULTS, ids=[words for *_, words in FAULTS])
def test_each_fault_is_a_line(
    site: FakeSite, break_it: Callable[[FakeSite], None], level: str, words: str
) -> None:
    break_it(site)
    lines = worst(check(site))
    assert [line for line in lines if words in line and line.startswith(level)], "\n".join(lines)
    assert "t0ken" not in " ".join(lines)


@pytest.mark.parametrize("prefix", ["/shop", "/a/b"])
@pytest.mark.parametrize("path", ["/api/auth", "/auth"])
def test_the_base_path_is_found_below_the_pages_folders(site: FakeSite, prefix: str, path: str) -> None:
    signin = {"github": {"signinUrl": f"{SITE}{prefix}{path}/signin/github"}}
    site.answers["/api/auth/providers"] = respond(signin, NEVER_KEPT)
    site.answers["/account"] = html(
        PAGE.replace('prefetch.js"', f'prefetch.js" data-base-path="{prefix}{path}"')
    )
    site.move("/api/auth", f"{prefix}{path}")
    site.move("/account", f"{prefix}/account")
    site.answers["/account.py"] = site.answers.pop(f"{prefix}/account.py")
    assert worst(check(site, f"{prefix}/account")) == []


def test_the_base_path_can_be_named(site: FakeSite) -> None:
    assert worst(check(site, base_path="/api/auth/")) == []
    (line,) = worst(check(site, base_path="/auth"))
    assert "/auth/session: answers HTTP 404" in line


@pytest.mark.parametrize("bundle", ["/py", "/py/", f"{SITE}/py"])
def test_the_bundle_can_be_named_where_react_loads_it(site: FakeSite, bundle: str) -> None:
    site.answers["/account"] = html("<!doctype html><p>React")
    assert "/py/pyscript/core.js" in site.asked or check(site, bundle=bundle)
    assert "/py/pyscript/core.js" in site.asked
    site.answers["/py/lit/lit.js"] = html("<p>Sign in")
    assert worst(check(site, bundle=bundle))


def test_middleware_that_reads_sessions_for_files_is_found(site: FakeSite) -> None:
    handle = site.handle

    def read_session(request: httpx.Request) -> httpx.Response:
        response = handle(request)
        if "authjs.session-token" in request.headers.get("cookie", ""):
            response.headers["set-cookie"] = "__Secure-authjs.session-token=; Max-Age=0; Path=/"
        return response

    site.handle = read_session  # type: ignore[method-assign]
    (line,) = worst(check(site))
    assert line.startswith(f"warning  {SITE}/py/pyscript/core.js: middleware runs for it")


def test_frameworks_that_check_forms_themselves_are_fine(site: FakeSite) -> None:
    site.answers["/api/auth/csrf"] = 404, [], b""
    findings = check(site)
    assert worst(findings) == []
    assert "checks forms itself" in " ".join(map(str, findings))


def test_a_page_that_leads_elsewhere_says_where(site: FakeSite) -> None:
    site.answers["/"] = redirect("/account?from=t0ken")
    findings = check(site, "/")
    assert str(findings[0]).startswith(f"note     {SITE}/: redirects to {SITE}/account.")
    assert worst(findings) == []


def test_redirects_in_a_circle_end(site: FakeSite) -> None:
    site.answers["/account"] = redirect("/account?again")
    assert "no page (HTTP 307" in " ".join(worst(check(site)))


@pytest.mark.parametrize("header", ["same-origin", "same-origin; report-to=x"])
def test_popups_are_looked_ahead_to(site: FakeSite, header: str) -> None:
    site.answers["/account"] = html(PAGE, ("cross-origin-opener-policy", header))
    findings = check(site)
    assert worst(findings) == []
    assert "same-origin-allow-popups" in " ".join(map(str, findings))


def test_a_site_that_does_not_answer_is_one_error() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with (
        httpx.Client(transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(UnreachableError, match="refused"),
    ):
        Fetcher(client).get(SITE)


@pytest.mark.parametrize(
    ("sources", "url", "expected"),
    [
        (["'self'"], f"{SITE}/x", True),
        (["'self'"], "https://cdn.example/x", False),
        (["*"], "https://cdn.example/x", True),
        (["https:"], "https://cdn.example/x", True),
        (["http:"], "https://cdn.example/x", False),
        (["cdn.example"], "https://cdn.example/x", True),
        (["https://cdn.example"], "https://cdn.example/x", True),
        (["http://cdn.example"], "https://cdn.example/x", False),
        (["*.example"], "https://cdn.example/x", True),
        (["*.example"], "https://example/x", False),
        (["'none'"], f"{SITE}/x", False),
        ([], f"{SITE}/x", False),
    ],
)
def test_sources_of_a_policy_are_read_as_browsers_do(sources: list[str], url: str, expected: bool) -> None:
    assert allows(sources, url, f"{SITE}/account") is expected


def test_the_webassembly_of_a_snapshot_is_not_looked_at() -> None:
    names = "'0123abcd/pyodide.asm.wasm' '0123abcd/packages.bin'"
    assert named_in_interpreter(names) == ["0123abcd/packages.bin", "0123abcd/pyodide.asm.wasm"]
    assert named_in_interpreter(f"{names} '4567abcd/snapshot.bin'") == [
        "0123abcd/packages.bin",
        "4567abcd/snapshot.bin",
    ]
