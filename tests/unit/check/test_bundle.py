"""A bundle's files, as a site serves them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from nextauth_py.check.answers import Answer
from nextauth_py.check.bundle import (
    CONFIG,
    CORE,
    INTERPRETER,
    LOCK,
    Bundle,
    check_bundle,
    check_config,
    further_files,
)
from nextauth_py.check.findings import Level

from .examples import SITE, answer, bad, csrf_cookie, html, one, redirect

PAGE = f"{SITE}/page"
ROOT = f"{SITE}/static/dist/"
WHEEL = "nextauth_py-0.1.0-01234abcd-py3-none-any.whl"
ASM, WASM, PART = (
    "pyodide/0123abcd/pyodide.asm.mjs",
    "pyodide/0123abcd/pyodide.asm.wasm",
    "pyodide/0123abcd/packages.bin",
)
KEPT = ("cache-control", "public, max-age=31536000, immutable")
ASKED = ("cache-control", "no-cache"), ("etag", '"x"')
LOCKED = {"packages": {"nextauth-py": {"file_name": WHEEL}}}
FACTS = {
    "lock": LOCKED,
    "module": "0123abcd/pyodide.asm.mjs",
    "checked": "0123abcd/checked.mjs",
    "parts": {"contents": {"name": "0123abcd/packages.bin"}},
    "replaced": {"pyodide": "0123abcd/pyodide.asm.wasm"},
    "snapshot": {"size": 1},
}
HEAD = "import { version } from './pyodide.mjs';\n"


def interpreter(facts: object) -> str:
    return f"{HEAD}const bundle = {json.dumps(facts)}; // made\nconst more = {{}};"


def files() -> dict[str, Answer]:
    """All is well."""
    found: dict[str, Answer] = {}

    def add(path: str, body: str | bytes, *headers: tuple[str, str], kind: str = "text/javascript") -> None:
        found[path] = answer(ROOT + path, body, *headers, kind=kind)

    add(CONFIG, json.dumps({"interpreter": "./pyodide/interpreter.mjs"}), *ASKED, kind="application/json")
    add(LOCK, json.dumps(LOCKED), *ASKED, kind="application/json")
    add(INTERPRETER, interpreter(FACTS), *ASKED)
    add(
        CORE, 'import "./page-config.js";\nimport"./core-C9KDLldu.js";export*from"./core-C9KDLldu.js"', *ASKED
    )
    add("pyscript/core-C9KDLldu.js", "x" * 30_000, KEPT, ("content-encoding", "gzip"))
    add(ASM, "x" * 30_000, KEPT, ("content-encoding", "br"))
    add(WASM, b"\0asm" + b"x" * 30_000, KEPT, kind="application/wasm")
    add(PART, b"\x1f\x8b", KEPT, kind="application/octet-stream")
    add(f"pyodide/{WHEEL}", b"PK", KEPT, kind="application/octet-stream")
    return found


def complaints(changed: dict[str, Answer], *, page: str = PAGE, installed: str = WHEEL) -> list[str]:
    return bad(check_bundle(Bundle(ROOT, page, {**files(), **changed}), installed))


def changed(path: str, *headers: tuple[str, str], body: bytes | None = None) -> dict[str, Answer]:
    """A file with other headers in place of those of the same names."""
    found = files()[path]
    names = {name for name, _ in headers}
    kept = tuple(each for each in found.headers if each[0] not in names)
    more = tuple(each for each in headers if each[1])
    return {path: replace(found, headers=kept + more, body=found.body if body is None else body)}


def test_a_bundle_in_order_has_no_complaint() -> None:
    findings = check_bundle(Bundle(ROOT, PAGE, files()), WHEEL)
    assert {each.level for each in findings} == {Level.OK}
    assert "all of the 9 files" in findings[0].text


def test_the_other_files_are_those_that_the_first_ones_name() -> None:
    first = {path: files()[path] for path in (CONFIG, LOCK, INTERPRETER, CORE)}
    found = further_files(first, is_cdn=False)
    named = {ASM, WASM, PART, f"pyodide/{WHEEL}", "pyodide/0123abcd/checked.mjs", "pyscript/core-C9KDLldu.js"}
    assert named | {"pyodide/pyodide.mjs", "lit/lit-html.js", "pyscript/page-config.js"} <= set(found)
    assert len(found) == len(set(found))
    assert not set(first) & set(found)


def test_a_hostile_bundle_has_no_other_sites_asked() -> None:
    facts = {**FACTS, "module": "//evil.example/x.mjs", "checked": "../../x", "parts": {"a": {"name": 3}}}
    first = {
        INTERPRETER: answer("/i", interpreter(facts)),
        LOCK: answer("/l", {"packages": {"x": {"file_name": []}}}),
    }
    found = further_files(first, is_cdn=False)
    assert all(not path.startswith("/") and ".." not in path for path in found)
    for broken in ("", "const bundle = {", f"const bundle = {'[' * 100_000}", "const bundle = 3;"):
        assert further_files({INTERPRETER: answer("/i", broken)}, is_cdn=False)
    odds: list[Any] = [{"parts": 3}, {"parts": []}, {"parts": {"a": 3}}, {"replaced": "x"}]
    odds += [{"lock": 3}, {"lock": {"packages": 3}}]
    for odd in odds:
        answers = {INTERPRETER: answer("/i", interpreter(odd))}
        assert further_files(answers, is_cdn=False)
        check_bundle(Bundle(ROOT, PAGE, {**files(), **answers}), WHEEL)
    locks: list[Any] = [{"packages": {"x": 3}}, {"packages": {"nextauth-py": 3}}, {"packages": []}, []]
    for lock in locks:
        answers = {LOCK: answer("/l", lock)}
        assert further_files(answers, is_cdn=False)
        check_bundle(Bundle(ROOT, PAGE, {**files(), **answers}), WHEEL)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer("/x", "", status=404), "not there (404): {}"),
        (answer("/x", "", status=403), "refused (403): {}"),
        (answer("/x", "", status=500), "the server fails (500): {}"),
        (redirect("/x", "/login?callbackUrl=/x"), "a middleware guards it, and redirects to /login: {}"),
        (redirect("/x", "https://cdn.example/x"), "redirected to https://cdn.example/x: {}"),
        (html("/x"), "an HTML page in place of the file: {}"),
        (Answer("/x", failure="no answer within 1 s"), "no answer within 1 s: {}"),
    ],
)
def test_a_file_that_is_not_there(found: Answer, expected: str) -> None:
    assert complaints({ASM: found}) == [f"error bundle: /static/dist/: {expected.format(ASM)}"]


@pytest.mark.parametrize(("is_cdn", "command"), [(False, "bundle OUT`"), (True, "bundle --cdn OUT`")])
def test_a_bundle_that_is_not_there_is_to_be_built(command: str, *, is_cdn: bool) -> None:
    answers = {path: answer(ROOT + path, "", status=404) for path in (CONFIG, LOCK, INTERPRETER, CORE)}
    (found,) = check_bundle(Bundle(ROOT, PAGE, answers, is_cdn), WHEEL)
    assert found.text == "/static/dist/: none of its files is there (404)"
    assert found.advice.startswith(
        f"run `nextauth-py {command}, OUT being the folder that is served at /stat"
    )


@pytest.mark.parametrize(
    ("path", "header", "expected"),
    [
        (
            ASM,
            ("content-type", "application/octet-stream"),
            "error bundle: no browser runs modules of type applicat",
        ),
        (ASM, ("content-type", ""), "error bundle: no browser runs modules of type none"),
        (
            WASM,
            ("content-type", "application/octet-stream"),
            f"warning bundle: {WASM} is application/octet-stream",
        ),
        (ASM, ("content-encoding", ""), f"warning bundle compression: not compressed: {ASM}"),
        (
            ASM,
            ("cache-control", "no-cache"),
            "warning bundle caching: browsers ask again for files that never change",
        ),
        (
            ASM,
            ("cache-control", ""),
            "warning bundle caching: browsers ask again for files that never change",
        ),
        (
            CORE,
            ("cache-control", "max-age=3600"),
            "warning bundle caching: after an update pages mix old and new fil",
        ),
        (
            CORE,
            ("cache-control", ""),
            "warning bundle caching: after an update pages mix old and new files for as lo",
        ),
        (CORE, ("cache-control", "no-store"), "warning bundle caching: downloaded at each visit (no-store)"),
        (CORE, ("etag", ""), "warning bundle caching: downloaded at each visit, without ETag"),
        (
            CORE,
            ("set-cookie", "authjs.csrf-token=1"),
            "warning bundle: 1 of 9 files set cookies (authjs.csrf-token)",
        ),
        (ASM, csrf_cookie(), "error bundle: 1 of 9 files set cookies (__Host-authjs.csrf-token)"),
    ],
)
def test_how_a_file_is_served(path: str, header: tuple[str, str], expected: str) -> None:
    (found,) = complaints(changed(path, header))
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("path", "header", "seen"),
    [
        (ASM, ("cache-control", "public, max-age=31536000"), "not immutable"),
        (PART, ("content-encoding", "gzip"), "compressed twice"),
        (CORE, ("set-cookie", "lb=1"), "1 of 9 files set cookies (lb)"),
    ],
)
def test_what_is_only_to_know(path: str, header: tuple[str, str], seen: str) -> None:
    findings = check_bundle(Bundle(ROOT, PAGE, {**files(), **changed(path, header)}), WHEEL)
    assert seen in one(findings, Level.NOTE).text


@pytest.mark.parametrize("path", [PART, WASM, f"pyodide/{WHEEL}"])
def test_a_file_that_is_damaged(path: str) -> None:
    (found,) = complaints(changed(path, body=b"something else"))
    assert found == f"error bundle: not as `nextauth-py bundle` has written them: {path}"


def test_a_pointer_of_git_lfs() -> None:
    (found,) = complaints(changed(PART, body=b"version https://git-lfs.github.com/spec/v1\n"))
    assert "pointer of Git LFS" in found


def test_webassembly_is_to_be_compressed_if_pages_start_from_it() -> None:
    facts: dict[str, Any] = {**FACTS, "snapshot": None}
    (found,) = complaints({INTERPRETER: replace(files()[INTERPRETER], body=interpreter(facts).encode())})
    assert found.startswith(f"warning bundle compression: not compressed: {WASM}")


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (
            "nextauth_py-0.2.0-05678abcd-py3-none-any.whl",
            "its nextauth_py is 0.1.0, the one installed here 0.2.0",
        ),
        (
            "nextauth_py-0.1.0-05678abcd-py3-none-any.whl",
            f"its nextauth_py is {WHEEL}, not nextauth_py-0.1.0-05",
        ),
    ],
)
def test_another_version_than_the_installed_one(installed: str, expected: str) -> None:
    (found,) = complaints({}, installed=installed)
    assert found.startswith(f"warning bundle: {expected}")


def test_middleware_that_reads_sessions_for_files() -> None:
    gone = ("set-cookie", "__Secure-authjs.session-token=; Max-Age=0; Path=/; Secure")
    for headers, count in (([gone], 1), ([], 0), ([csrf_cookie()], 0)):
        bundle = Bundle(ROOT, PAGE, files(), probed=answer(ROOT + CORE, "", *headers))
        assert len(bad(check_bundle(bundle, WHEEL))) == count


def test_files_of_two_builds() -> None:
    other = {"packages": {"nextauth-py": {"file_name": WHEEL.replace("01234", "05678")}}}
    (found,) = complaints(
        {INTERPRETER: replace(files()[INTERPRETER], body=interpreter({**FACTS, "lock": other}).encode())}
    )
    assert found.startswith("error bundle: files of two builds")


def test_a_bundle_on_another_origin_has_to_allow_the_page() -> None:
    page = "https://other.example/page"
    (found,) = complaints({}, page=page)
    assert found.startswith(
        "error bundle: https://shop.example does not allow pages of https://other.example"
    )
    for value in ("*", "https://other.example"):
        allowed = {
            path: replace(each, headers=(*each.headers, ("access-control-allow-origin", value)))
            for path, each in files().items()
        }
        assert complaints(allowed, page=page) == []


def test_a_bundle_for_the_cdn() -> None:
    config = answer(ROOT + CONFIG, {"packages": ["pydantic", f"./{WHEEL}", "./nextauth_py-../x"]}, *ASKED)
    names = further_files({CONFIG: config}, is_cdn=True)
    assert names == [WHEEL, "lit/lit.js", "lit/lit-html.js", "session-popup.js"]
    wheel = answer(ROOT + WHEEL, b"PK", KEPT, kind="application/octet-stream")
    other_build = WHEEL.replace("01234", "05678")  # sources instead of bytecode
    bundle = Bundle(ROOT, PAGE, {CONFIG: config, WHEEL: wheel}, is_cdn=True)
    assert bad(check_bundle(bundle, other_build)) == []


@pytest.mark.parametrize(
    ("config", "with_core", "expected"),
    [
        ({"packages": ["nextauth-py"], "packages_cache": "passthrough", "interpreter": "./i.mjs"}, True, []),
        ({"packages": ["nextauth-py"], "packages_cache": "passthrough", "interpreter": "/i.mjs"}, False, []),
        ({"packages": [f"./{WHEEL}"], "packages_cache": "passthrough"}, False, []),
        ({}, True, ["error config: /c.json is no JSON"]),
        (
            {"packages": ["numpy"], "packages_cache": "passthrough"},
            True,
            ["error config: /c.json has no nextauth-py"],
        ),
        (
            {"packages": ["nextauth-py"], "packages_cache": "passthrough", "interpreter": "./i.mjs"},
            False,
            ["error config: /c.json has a relative"],
        ),
        ({"packages": ["nextauth-py"]}, True, ["warning config: /c.json lets PyScript keep packages"]),
    ],
)
def test_the_config_of_a_page(config: dict[str, Any], with_core: bool, expected: list[str]) -> None:
    found = bad(check_config(config, "/c.json", comes_with_core=with_core))
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected
