"""What policies leave of a page with Python."""

from __future__ import annotations

from typing import Any

import pytest

from nextauth_py.check.findings import Level
from nextauth_py.check.page import parse_page
from nextauth_py.check.policy import Needs, allows, check_policy

from .examples import SITE, bad, html, one

PAGE = f"{SITE}/shop/page"
CORE = f"{SITE}/static/dist/pyscript/core.js"
CDN = "https://pyscript.net/releases/2026.3.1/core.js"
STRICT = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html nextauth_py nextauth_py-worker"
)


def complaints(policy: str, *, body: str = "", **needs: Any) -> list[str]:
    headers = [("content-security-policy", policy)] if policy else []
    found = html(PAGE, body, *headers)
    wanted = {"scripts": (CORE,), "connections": (PAGE,), **needs}
    return bad(check_policy(parse_page(found), found, Needs(**wanted)))


@pytest.mark.parametrize(
    "policy",
    [
        "",
        STRICT,
        STRICT.replace("'self' 'wasm", "https://shop.example/static/ 'wasm"),
        "script-src 'self' 'unsafe-eval'; base-uri 'self'",
        "script-src 'nonce-abc' 'strict-dynamic' 'wasm-unsafe-eval'; base-uri 'none'",
        "img-src 'none'; base-uri 'none'",
        "SCRIPT-SRC https: 'wasm-unsafe-eval'; base-uri 'none'",
    ],
)
def test_a_policy_that_lets_python_run(policy: str) -> None:
    assert complaints(policy, nonce="abc") == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (STRICT.replace(" 'wasm-unsafe-eval'", ""), "error policy: script-src lacks 'wasm-unsafe-eval'"),
        ("default-src 'self'; base-uri 'none'", "error policy: default-src lacks 'wasm-unsafe-eval'"),
        (STRICT.replace("connect-src 'self'; ", ""), "error policy: default-src lets no script ask 'self'"),
        (
            STRICT.replace("connect-src 'self'", "connect-src https://api.example"),
            "error policy: connect-src lets no",
        ),
        (
            STRICT.replace("script-src 'self'", "script-src 'nonce-other'"),
            "error policy: script-src does not allow /s",
        ),
        (
            STRICT.replace("script-src 'self'", "script-src https://shop.example/js/"),
            "error policy: script-src does",
        ),
        (STRICT.replace(" nextauth_py ", " "), "error policy: trusted-types does not allow nextauth_py,"),
        (
            STRICT.replace("worker-src 'self'", "worker-src 'none'"),
            "warning policy: worker-src allows no worker",
        ),
        ("SCRIPT-SRC 'none'; base-uri 'none'", "error policy: script-src lacks"),
        (
            "script-src 'self' 'strict-dynamic' 'wasm-unsafe-eval'; base-uri 'none'",
            "error policy: script-src does not allow /static/dist/pyscript/core.js",
        ),
        (STRICT + "; sandbox allow-scripts", "error policy: its sandbox keeps"),
        (f"{STRICT}, script-src 'none'; base-uri 'none'", "error policy: script-src "),
    ],
)
def test_a_policy_that_does_not(policy: str, expected: str) -> None:
    assert complaints(policy)[0].startswith(expected)


def test_workers_come_from_a_blob() -> None:
    (blob, names) = complaints(STRICT, has_workers=True)[::-1]
    assert "no worker of a blob:" in blob
    assert "does not allow pyscript-worker" in names
    allowed = STRICT.replace("worker-src 'self'", "worker-src 'self' blob:").replace(
        "-worker", "-worker pyscript-worker"
    )
    assert complaints(allowed, has_workers=True) == []


def test_early_scripts_need_permission_too() -> None:
    policy = STRICT.replace("script-src 'self'", "script-src 'nonce-x'")
    assert policy != STRICT
    early = {f"{SITE}/py/session-prefetch.js": "", f"{SITE}/py/session-boot.js": "x"}
    (found,) = complaints(policy, nonce="x", early=early)
    assert found == "warning policy: script-src does not allow /py/session-prefetch.js"
    assert complaints(STRICT, early=early) == []


def test_pyscript_from_its_cdn_needs_more() -> None:
    needs: Any = {"scripts": (CDN,), "is_from_cdn": True}
    found = complaints(STRICT, **needs)
    starts = (
        "script-src lacks 'unsafe-eval'",
        "require-trusted-types-for 'script' stops",
        "script-src does not allow https://pyscript.net",
    )
    assert all(line.startswith(f"error policy: {start}") for line, start in zip(found, starts, strict=True))
    policy = "script-src 'self' 'unsafe-eval' https://pyscript.net https://cdn.jsdelivr.net; base-uri 'none'"
    assert complaints(policy, **needs) == []


def test_a_policy_in_the_html_counts_too() -> None:
    body = """<meta http-equiv="Content-Security-Policy" content="script-src 'self'">"""
    assert complaints("", body=body)[0].startswith("error policy: script-src lacks")


def test_a_policy_that_only_reports_is_not_judged() -> None:
    found = html(PAGE, "", ("content-security-policy-report-only", "script-src 'none'"))
    findings = check_policy(parse_page(found), found, Needs(scripts=(CORE,)))
    assert "report-only" in one(findings, Level.NOTE).text


def test_a_policy_without_base_uri_is_a_note() -> None:
    found = html(PAGE, "", ("content-security-policy", "img-src 'self'"))
    assert "base-uri" in one(check_policy(parse_page(found), found, Needs()), Level.NOTE).text


@pytest.mark.parametrize(
    ("source", "url", "expected"),
    [
        ("'self'", f"{SITE}/x", True),
        ("'self'", "https://cdn.example/x", False),
        ("*", "https://cdn.example/x", True),
        ("https:", "https://cdn.example/x", True),
        ("http:", "https://cdn.example/x", True),
        ("https:", "http://cdn.example/x", False),
        ("cdn.example", "https://cdn.example/x", True),
        ("CDN.example", "https://cdn.example/x", True),
        ("cdn.example", "https://cdn.example:8443/x", False),
        ("cdn.example:*", "https://cdn.example:8443/x", True),
        ("cdn.example:8443", "https://cdn.example:8443/x", True),
        ("http://cdn.example", "https://cdn.example/x", True),
        ("*.example", "https://cdn.example/x", True),
        ("*.cdn.example", "https://cdn.example/x", False),
        ("https://cdn.example/js/", "https://cdn.example/js/x", True),
        ("https://cdn.example/js/", "https://cdn.example/x", False),
        ("https://cdn.example/x", "https://cdn.example/x", True),
        ("https://cdn.example/x", "https://cdn.example/x/y", False),
        ("'none'", f"{SITE}/x", False),
        ("cdn.example:\u00b2", "https://cdn.example:8443/x", False),
    ],
)
def test_sources_are_read_as_browsers_do(source: str, url: str, *, expected: bool) -> None:
    assert allows([source], url, PAGE) is expected


@pytest.mark.parametrize(
    ("header", "value", "level"),
    [
        ("cross-origin-opener-policy", "same-origin", "warning"),
        ("cross-origin-opener-policy", 'same-origin; report-to="x"', "warning"),
        ("cross-origin-opener-policy", "same-origin-allow-popups", None),
        ("cross-origin-embedder-policy", "require-corp", "note"),
        ("cross-origin-embedder-policy", "unsafe-none", None),
    ],
)
def test_policies_about_windows(header: str, value: str, level: str | None) -> None:
    found = html(PAGE, "", (header, value))
    assert [each.level for each in check_policy(parse_page(found), found, Needs())] == [level] * bool(level)
