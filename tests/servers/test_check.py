"""`nextauth-py check` at real servers, right and wrong."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.serve import AuthServer, install_server
from nextauth_py.bundle import build_bundle
from nextauth_py.bundle.build.wheel import own_wheel
from nextauth_py.bundle.cli import main

from . import SITE_SCRIPT
from .front import Front, Passing
from .raw import answer

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "static/dist"
DOCS = ROOT / "docs/check.md"

Check = Callable[..., list[str]]

# What does not depend on the generation.
ONCE = pytest.mark.parametrize("generation", ["v5"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=["v4", "v5"])
def generation(request: pytest.FixtureRequest) -> str:
    generation: str = request.param
    return generation


@pytest.fixture(scope="module")
def served() -> dict[str, Path]:
    """The demo's pages and a bundle."""
    install_server()
    build_bundle(BUNDLE)
    return {"/static": ROOT / "static", "/": ROOT / "demo/pages"}


@pytest.fixture(scope="module")
def fronted(generation: str, served: dict[str, Path]) -> Iterator[Front]:
    """The demo behind a proxy, whose address it knows."""
    with ExitStack() as running:
        front = running.enter_context(Front())
        options: Any = {"generation": generation, "public_url": front.url, "compresses": True}
        front.behind = running.enter_context(AuthServer(served, **options)).url
        yield front


@pytest.fixture
def front(fronted: Front) -> Front:
    fronted.reset()
    return fronted


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], front: Front) -> Check:
    """Runs the command; returns what is wrong, as level, topic and what was seen."""

    def check(*options: str, page: str = "/guarded.html") -> list[str]:
        code = main(["check", front.url + page, "--json", *options])
        findings: list[dict[str, str]] = json.loads(capsys.readouterr().out)
        assert code == int(any(each["level"] == "error" for each in findings))
        return [
            f"{each['level']} {each['subject']}: {each['text']}"
            for each in findings
            if each["level"] in {"warning", "error"}
        ]

    return check


@pytest.fixture(autouse=True, scope="module")
def _the_wheel_is_made_once() -> Iterator[None]:
    """It takes longer than a check."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nextauth_py.bundle.cli.own_wheel", functools.cache(own_wheel))
        yield


@pytest.fixture(autouse=True)
def _the_environment_names_the_server() -> None:
    """In place of the one for all tests of servers: nothing here reads it."""


@pytest.mark.parametrize("name", ["", "guarded.html", "state.html", "way-component.html"])
def test_the_demo_is_in_order(check: Check, name: str) -> None:
    assert check(page=f"/{name}") == []


def test_both_generations_are_told_apart(
    front: Front, generation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", front.url]) == 0
    name = {"v4": "NextAuth v4", "v5": "Auth.js v5"}[generation]
    assert f"ok       session: {name}, with base_path='/api/auth'\n" in capsys.readouterr().out


def test_nothing_is_posted_and_nothing_secret_is_printed(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = set()

    def note(passing: Passing) -> None:
        for name, value in passing.headers:
            if name == "set-cookie":
                secrets.add(value.partition("=")[2].partition(";")[0])
        secrets.update(re.findall(rb'"csrfToken":"(\w+)"', passing.body))

    front.change = note
    main(["check", front.url])
    main(["check", front.url, "--json"])
    out, error = capsys.readouterr()
    assert {method for method, _ in front.asked} == {"GET"}
    assert len(secrets) > 4
    assert not [
        each for each in secrets if (each.decode() if isinstance(each, bytes) else each) in out + error
    ]
    assert not [path for _, path in front.asked if "signin" in path]


# --- the auth routes ---


@ONCE
def test_a_site_without_auth_names_all_paths_that_were_tried(
    check: Check, front: Front, generation: str
) -> None:
    front.change = lambda passing: passing.become(404) if passing.path.endswith("/session") else None
    (found,) = check("--base-path", "/own")
    assert found == (
        "error session: /own answers 404: there is no NextAuth server; also tried: /api/auth, /auth"
    )


def test_python_that_asks_elsewhere(check: Check, front: Front) -> None:
    front.change = python_with('base_path="/auth"')
    (found,) = check()
    assert found == (
        "error python: /guarded.py, line 5: SessionProvider asks at /auth, the auth routes are at /api/auth"
    )


def test_a_base_path_that_only_python_names_is_found(
    generation: str, served: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("guarded.html", "guarded.py"):
        text = (ROOT / "demo/pages" / name).read_text("utf-8")
        text = re.sub(r".*session-prefetch.*", "", text)
        text = text.replace("SessionProvider()", "SessionProvider(base_path='/own')")
        (tmp_path / name).write_text(text, "utf-8")
    with AuthServer({**served, "/": tmp_path}, generation=generation, base_path="/own") as server:
        assert main(["check", f"{server.url}/guarded.html", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert any("with base_path='/own'" in each["text"] for each in findings)
    (prefetch,) = [each for each in findings if each["subject"] == "prefetch"]
    assert prefetch["advice"].startswith(
        '<script src="/static/dist/session-prefetch.js" data-base-path="/own"></script>'
    )


def python_with(arguments: str) -> Callable[[Passing], None]:
    """Has the page's Python start its provider with arguments."""

    def rewrite(passing: Passing) -> None:
        if passing.path.endswith(".py"):
            passing.drop("content-encoding")
            text = (ROOT / "demo/pages" / passing.path.lstrip("/")).read_text("utf-8")
            passing.body = text.replace("SessionProvider()", f"SessionProvider({arguments})").encode()

    return rewrite


def test_a_wrong_base_path(check: Check, front: Front) -> None:
    assert check("--base-path", "/auth") == ["error session: /auth answers 404: there is no NextAuth server"]


def test_a_base_path_of_its_own_is_found_by_what_the_page_asks(
    generation: str, served: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html = (ROOT / "demo/pages/guarded.html").read_text("utf-8")
    (tmp_path / "page.html").write_text(
        html.replace("<script src=", '<script data-base-path="/own" src=', 1), "utf-8"
    )
    mounts = {"/static": served["/static"], "/shop": tmp_path, "/": served["/"]}
    with AuthServer(mounts, generation=generation, base_path="/own") as server:
        assert main(["check", f"{server.url}/shop/page.html"]) == 1  # its main.py is elsewhere
        assert "with base_path='/own'" in capsys.readouterr().out
        assert main(["check", f"{server.url}/guarded.html"]) == 1
        assert "error    session: /api/auth answers 404" in capsys.readouterr().out
        assert main(["check", f"{server.url}/guarded.html", "--base-path", "/own"]) == 1
        assert (
            "session-prefetch.js asks /api/auth/session, the auth routes are at /own"
            in capsys.readouterr().out
        )


def test_a_base_path_below_the_pages_folder_is_found(
    generation: str, served: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mounts = {"/static": served["/static"], "/shop": served["/"]}
    with AuthServer(mounts, generation=generation, base_path="/shop/api/auth") as server:
        main(["check", f"{server.url}/shop/guarded.html"])
    out = capsys.readouterr().out
    assert "with base_path='/shop/api/auth'" in out
    assert 'SessionProvider(base_path="/shop/api/auth")' in out


def is_auth(passing: Passing) -> bool:
    return passing.path.startswith("/api/auth/")


def is_bundled(passing: Passing) -> bool:
    return passing.path.startswith("/static/dist/")


def test_html_in_place_of_json(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.become(200, "<!doctype html>") if is_auth(passing) else None
    assert check() == [
        "error session: /api/auth answers with an HTML page: a catch-all route or a middleware, not "
        "NextAuth; also tried: /auth"
    ]


def test_auth_routes_that_a_middleware_guards(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.redirect("/login?callbackUrl=%2F") if is_auth(passing) else None
    assert check() == [
        "error session: /api/auth redirects to /login: a middleware guards it; nobody can sign in"
    ]


def test_a_server_without_a_secret(check: Check, front: Front) -> None:
    message = '{"message":"There is a problem with the server configuration."}'

    def fail(passing: Passing) -> None:
        if is_auth(passing):
            passing.become(500, message, "application/json")

    front.change = fail
    assert [line for line in check() if line.startswith("error session")] == [
        "error session: /api/auth/session answers 500: the auth server's configuration is wrong"
    ]


def test_a_proxy_that_takes_cookies_away(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.drop("set-cookie")
    assert check() == ["error csrf: /api/auth/csrf sets no cookie, so each token is refused"]


def test_a_proxy_that_joins_cookies(check: Check, front: Front) -> None:
    def join(passing: Passing) -> None:
        if lines := [value for name, value in passing.headers if name == "set-cookie"]:
            passing.put("set-cookie", ", ".join(lines))

    front.change = join
    assert any("several cookies are joined" in line for line in check())


def test_a_cdn_that_keeps_the_session(check: Check, front: Front) -> None:
    front.change = lambda passing: (
        passing.put("x-cache", "HIT") if passing.path.endswith("/session") else None
    )
    (found,) = check()
    assert found.startswith("error caching of session: x-cache: HIT")


def test_instances_with_secrets_of_their_own(
    front: Front, check: Check, generation: str, served: dict[str, Path]
) -> None:
    with AuthServer(served, generation=generation, public_url=front.url, compresses=True) as other:
        first = front.behind

        def swap(passing: Passing) -> None:
            if passing.path == "/api/auth/csrf":
                front.behind = other.url if front.behind == first else first

        front.change = swap
        try:
            found = check()
        finally:
            front.behind = first
    (line,) = found
    assert line.startswith("error csrf: /api/auth/csrf does not recognise the cookie that it has just set")


def test_a_server_that_does_not_know_its_address(
    front: Front, check: Check, generation: str, served: dict[str, Path]
) -> None:
    first = front.behind
    with AuthServer(served, generation=generation, compresses=True) as other:
        front.behind = other.url
        try:
            found = check()
        finally:
            front.behind = first
    (line,) = found
    assert line.startswith(
        f"error providers: the server takes {other.url} for its address, visitors use {front.url}"
    )


def test_a_server_with_trailing_slashes(generation: str, capsys: pytest.CaptureFixture[str]) -> None:
    with AuthServer({}, script=SITE_SCRIPT, generation=generation) as server:
        main(["check", server.url])
    out = capsys.readouterr().out
    assert "note     slash: session, providers, csrf" in out
    assert "ok       csrf: /api/auth/csrf gives a token" in out


@ONCE
@pytest.mark.parametrize("value", ["\x7f\x00secret", "s\u00e9cret", "a" * 5000])
def test_a_cookie_that_cannot_be_sent_is_not_printed(
    raw: Any, value: str, generation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cookie = b"Set-Cookie: authjs.csrf-token=" + value.encode("latin-1") + b"; Path=/; HttpOnly; SameSite=Lax"

    def reply(request: bytes) -> list[bytes]:
        body: Any = {"csrfToken": "0" * 64} if b"/csrf" in request else None
        return [answer({} if b"/providers" in request else body, cookie)]

    raw.answers = reply
    assert main(["check", raw.url]) in {1, 2}
    out, error = capsys.readouterr()
    assert value not in out + error
    assert "cret" not in out + error


# --- the bundle ---


@ONCE
def test_a_bundle_that_a_middleware_guards(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.redirect("/login") if is_bundled(passing) else None
    found = check("--bundle", "/static/dist")
    assert (
        "error bundle: /static/dist/: a middleware guards it, and redirects to /login: pyscript.json"
        in found[-1]
    )


@ONCE
def test_html_in_place_of_modules(check: Check, front: Front) -> None:
    def catch_all(passing: Passing) -> None:
        if passing.path.endswith(".mjs"):
            passing.become(200, "<!doctype html>")

    front.change = catch_all
    assert any(line.startswith("error bundle: /static/dist/: an HTML page in place of") for line in check())


def test_cookies_on_static_files(check: Check, front: Front, generation: str) -> None:
    name = {"v4": "next-auth", "v5": "authjs"}[generation]
    cookie = f"{name}.session-token=secret; Path=/; HttpOnly; SameSite=Lax"
    front.change = lambda passing: passing.put("set-cookie", cookie) if is_bundled(passing) else None
    (found,) = check()
    assert re.search(rf"(\d+) of \1 files set cookies \({name}.session-token\)", found)
    assert found.startswith("error bundle")  # because those with a hash in their names are public
    assert "secret" not in found


@ONCE
def test_middleware_that_reads_sessions_for_files(check: Check, front: Front) -> None:
    def forget(passing: Passing) -> None:
        if is_bundled(passing) and "authjs.session-token" in passing.cookie:
            passing.put("set-cookie", "authjs.session-token=; Max-Age=0; Path=/; HttpOnly")

    front.change = forget
    (found,) = check()
    assert found.startswith("warning bundle: middleware runs for its files")


@ONCE
def test_wrong_content_types(check: Check, front: Front) -> None:
    def mistype(passing: Passing) -> None:
        if passing.path.endswith((".mjs", ".wasm")):
            passing.put("content-type", "application/octet-stream")

    front.change = mistype
    found = check()
    assert found[0].startswith("error bundle: no browser runs modules of type application/octet-stream: ")
    assert found[1].endswith("is application/octet-stream: not compiled while it loads, and not kept")
    assert len(found) == 2


@ONCE
def test_no_headers_for_caches(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.drop("cache-control") if is_bundled(passing) else None
    again, mixed = check()
    assert again.startswith("warning bundle caching: browsers ask again for files that never change: ")
    assert mixed.startswith("warning bundle caching: after an update pages mix old and new files")


@ONCE
def test_a_bundle_that_is_not_compressed(check: Check, front: Front) -> None:
    def plain(passing: Passing) -> None:
        if is_bundled(passing) and passing.path.endswith(".mjs"):
            passing.drop("content-encoding")
            passing.body = (BUNDLE / passing.path.removeprefix("/static/dist/")).read_bytes()

    front.change = plain
    (found,) = check()
    assert found.startswith("warning bundle compression: not compressed: pyodide/interpreter.mjs, pyodide/")
    assert found.endswith(" 1.3 MB")


@ONCE
def test_a_file_that_is_compressed_twice_without_saying_so(check: Check, front: Front) -> None:
    def unpack(passing: Passing) -> None:
        if passing.path.endswith("/snapshot.bin"):
            passing.put("content-encoding", "gzip")  # so that browsers inflate what the interpreter inflates

    front.change = unpack
    (found,) = check()
    assert found.startswith("error bundle: not as `nextauth-py bundle` has written them: pyodide/")


@ONCE
def test_another_version_of_the_bundle(check: Check, front: Front) -> None:
    front.change = renamed(r"nextauth_py-[\w.]+-\w+-", "nextauth_py-0.0.1-01234abcd-")
    assert any("its nextauth_py is 0.0.1, the one installed here" in line for line in check())


@ONCE
def test_a_mix_of_two_bundles(check: Check, front: Front) -> None:
    front.change = renamed(r"(nextauth_py-[\w.]+)-\w+-", r"\1-01234abcd-", only="interpreter.mjs")
    found = check()
    assert found[0].startswith("error bundle: files of two builds: pyodide/interpreter.mjs has nextauth_py-")


def renamed(pattern: str, other: str, only: str = "") -> Callable[[Passing], None]:
    """Has the bundle's files name another wheel."""

    def rename(passing: Passing) -> None:
        path = BUNDLE / passing.path.removeprefix("/static/dist/")
        if path.suffix in {".json", ".mjs"} and is_bundled(passing) and passing.path.endswith(only):
            passing.drop("content-encoding")
            passing.body = re.sub(pattern, other, path.read_text("utf-8")).encode()

    return rename


@ONCE
def test_no_bundle_at_the_named_place(check: Check, front: Front) -> None:
    (found,) = check("--bundle", "/nowhere")
    assert found == "error bundle: /nowhere/: none of its files is there (404)"


@ONCE
def test_a_bundle_that_has_not_been_built_is_one_finding(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.become(404) if is_bundled(passing) else None
    assert check() == ["error bundle: /static/dist/: none of its files is there (404)"]


@ONCE
def test_an_early_script_that_is_not_there(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.become(404) if passing.path.endswith("-boot.js") else None
    assert check() == ["warning boot: /static/dist/session-boot.js does not load: 404"]


# --- the page ---


@ONCE
def test_a_policy_that_stops_python(check: Check, front: Front) -> None:
    policy = "default-src 'self'; worker-src 'none'"

    def protect(passing: Passing) -> None:
        if passing.path.endswith(".html"):
            passing.put("content-security-policy", policy)

    front.change = protect
    assert check() == [
        "error policy: default-src lacks 'wasm-unsafe-eval': Python cannot start",
        "warning policy: worker-src allows no worker, so the page's own thread checks the bundle",
    ]


@ONCE
def test_a_python_file_that_a_middleware_guards(check: Check, front: Front) -> None:
    front.change = lambda passing: passing.redirect("/login") if passing.path.endswith(".py") else None
    assert check() == ["error python: /guarded.py redirects to /login"]


@ONCE
def test_a_page_for_members(check: Check, front: Front) -> None:
    front.change = lambda passing: (
        passing.redirect("/login?callbackUrl=x") if "guarded" in passing.path else None
    )
    assert check() == []
    assert ("GET", "/login") not in front.asked


@ONCE
def test_a_page_that_is_not_there(check: Check, front: Front) -> None:
    (found,) = check(page="/nowhere.html")
    assert found == f"error page: {front.url}/nowhere.html answers 404"


@ONCE
def test_an_answer_that_inflates_to_gigabytes_is_read_in_part(check: Check, front: Front) -> None:
    bomb = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    zeros = bomb.compress(bytes(200_000_000)) + bomb.flush()

    def explode(passing: Passing) -> None:
        if passing.path == "/api/auth/session":
            passing.put("content-encoding", "gzip")
            passing.body = zeros

    front.change = explode
    assert any("JSON that cannot be read" in line for line in check("--base-path", "/api/auth"))


# --- the command ---


@ONCE
@pytest.mark.parametrize("options", [[], ["--json"]], ids=str)
def test_a_reader_that_has_gone_ends_it_quietly(front: Front, options: list[str]) -> None:
    ended = run_without_reader("check", front.url, *options)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_reader_that_has_gone_ends_the_other_commands_quietly(served: dict[str, Path]) -> None:
    ended = run_without_reader("bundle", str(BUNDLE))
    assert (ended.returncode, ended.stderr) == (141, b"")


def run_without_reader(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as before a `head` that has ended."""
    code = "import sys; from nextauth_py.bundle.cli import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("url", ["http://localhost:9/", "https://localhost:9/", "http://name.invalid/"])
def test_a_site_that_does_not_answer_is_one_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", url]) == 2
    out, error = capsys.readouterr()
    assert (out, error.count("\n")) == ("", 1)
    assert error.startswith(f"nextauth-py: {url}: cannot be reached (")


def test_a_site_that_is_too_slow_is_one_line(raw: Any, capsys: pytest.CaptureFixture[str]) -> None:
    raw.answers = lambda _: raw.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000)
    assert main(["check", raw.url, "--timeout", "0.5"]) == 2
    assert capsys.readouterr().err == f"nextauth-py: {raw.url}/: no answer within 0.5 s\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [""],
        ["ftp://shop.example/"],
        ["http://"],
        ["https://user:pass@shop.example/"],
        ["https://shop.example:x/"],
        ["https://shop.example/", "--base-path", "api/auth"],
        ["https://shop.example/", "--timeout", "0"],
        ["https://shop.example/", "--timeout", "soon"],
    ],
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    assert ended.value.code == 2
    assert "pass@" not in capsys.readouterr().err


# --- the docs ---


@ONCE
def test_the_example_of_the_docs_is_what_it_prints(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    def change(passing: Passing) -> None:
        if passing.path.endswith("/guarded.py"):
            passing.redirect("/login")
        if "/core-" in passing.path:
            passing.put("cache-control", "no-cache")

    front.change = change
    assert main(["check", f"{front.url}/guarded.html"]) == 1
    (example,) = re.findall(r"```text\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert without_hashes(capsys.readouterr().out) == without_hashes(example)


def without_hashes(text: str) -> str:
    return re.sub(
        r"nextauth_py-[\w.]+-\w+-py3", "nextauth_py", re.sub(r"core-[\w-]{8}\.js|\d+ files", "", text)
    )


@ONCE
def test_the_json_of_the_docs_is_what_it_prints(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    front.change = lambda passing: passing.drop("set-cookie")
    main(["check", front.url, "--json"])
    errors = [each for each in json.loads(capsys.readouterr().out) if each["level"] == "error"]
    (example,) = re.findall(r"```json\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert errors == json.loads(example)
