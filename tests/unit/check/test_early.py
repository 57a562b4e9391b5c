"""The scripts for the time before Python."""

from __future__ import annotations

import pytest

from nextauth_py.check.answers import Answer
from nextauth_py.check.early import check_early, early_scripts
from nextauth_py.check.findings import Finding, Level
from nextauth_py.check.page import parse_page

from .examples import SITE, answer, bad, html, one, redirect

CORE = '<script type="module" src="/py/pyscript/core.js"></script>'
PREFETCH = '<script src="/py/session-prefetch.js"></script>'
PAINT = '<script defer src="/py/session-paint.js"></script>'
BOOT = '<script src="/py/session-boot.js"></script>'
PYTHON = '<script type="py" src="main.py"></script>'
EMBEDDED = '<script type="application/json" id="nextauth-session">null</script>'
BUNDLE = f"{SITE}/py/"


def findings(
    body: str, *, bundle: str = BUNDLE, base_path: str = "/api/auth", **replaced: Answer
) -> list[Finding]:
    page = parse_page(html("/page", f"<!doctype html>{body}"))
    answers = {url: answer(url, "{}", kind="text/javascript") for url in early_scripts(page)}
    answers |= {url: found for url in answers for name, found in replaced.items() if f"-{name}." in url}
    return check_early(page, answers, bundle=bundle, base_path=base_path)


def test_all_early_scripts_in_order_are_fine() -> None:
    assert findings(PREFETCH + PAINT + BOOT + CORE + PYTHON) == []


@pytest.mark.parametrize(
    ("bundle", "base_path", "script"),
    [
        (BUNDLE, "/api/auth", '<script src="/py/session-prefetch.js"></script>'),
        (BUNDLE, "/auth", '<script src="/py/session-prefetch.js" data-base-path="/auth"></script>'),
        (BUNDLE, "", '<script src="/py/session-prefetch.js"></script>'),
        ("", "/api/auth", '<script src="…/session-prefetch.js"></script>'),
        ("https://cdn.example/py/", "/api/auth", '<script src="…/session-prefetch.js"></script>'),
    ],
)
def test_a_missing_prefetch_is_a_note_with_the_paths_that_were_found(
    bundle: str, base_path: str, script: str
) -> None:
    found = one(findings(BOOT + CORE + PYTHON, bundle=bundle, base_path=base_path), Level.NOTE)
    assert (found.subject, found.advice) == ("prefetch", f"{script} in front of core.js")


def test_a_page_with_its_session_needs_no_prefetch() -> None:
    assert findings(EMBEDDED + BOOT + CORE + PYTHON) == []
    for ignored in (EMBEDDED * 2, EMBEDDED.replace("application/json", "text/plain")):
        assert one(findings(ignored + BOOT + CORE + PYTHON), Level.NOTE).subject == "prefetch"


def test_a_page_with_workers_only_needs_no_prefetch() -> None:
    worker = '<script type="py" worker src="worker.py"></script>'
    assert findings(BOOT + CORE + worker) == []
    assert one(findings(BOOT + CORE + PYTHON + worker), Level.NOTE).subject == "prefetch"


def test_a_page_that_cannot_say_what_is_wrong_is_a_note() -> None:
    found = one(findings(PREFETCH + CORE + PYTHON), Level.NOTE)
    assert (found.subject, found.advice) == ("boot", f"{BOOT} in front of core.js")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            PREFETCH.replace("src", 'type="module" src') + BOOT,
            "prefetch: session-prefetch.js is loaded as a module",
        ),
        (PREFETCH + BOOT.replace("src", 'type="module" src'), "boot: session-boot.js is loaded as a module"),
        (
            PREFETCH + BOOT.replace("/py/", "/js/"),
            "boot: session-boot.js watches files below /js/, the bundle is",
        ),
        (PAINT + EMBEDDED + BOOT, "prefetch: session-paint.js shows nothing"),
        (PAINT.replace("defer ", "") + PREFETCH + BOOT, "prefetch: session-paint.js shows nothing"),
        (PAINT + PREFETCH.replace("src", "defer src") + BOOT, "prefetch: session-paint.js shows nothing"),
    ],
)
def test_what_keeps_an_early_script_from_its_work(body: str, expected: str) -> None:
    (found,) = bad(findings(body + CORE + PYTHON))
    assert found.startswith(f"warning {expected}")


@pytest.mark.parametrize(
    "body",
    [PAINT + PREFETCH, PREFETCH + PAINT.replace("defer ", ""), PREFETCH.replace("src", "defer src") + PAINT],
)
def test_paint_runs_behind_prefetch(body: str) -> None:
    assert findings(body + BOOT + CORE + PYTHON) == []


def test_boot_may_lie_above_the_bundle() -> None:
    assert findings(PREFETCH + BOOT.replace("/py/", "/") + CORE + PYTHON) == []
    assert bad(findings(PREFETCH + BOOT + CORE + PYTHON, bundle="https://cdn.example/")) == []


NOSNIFF = ("x-content-type-options", "nosniff")


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (answer("/x", "", status=404), "does not load: 404"),
        (Answer("/x", failure="no answer within 1 s"), "does not load: no answer within 1 s"),
        (redirect("/x", "/login"), "redirects to /login"),
        (html("/x"), "is an HTML page"),
        (answer("/x", "", NOSNIFF, kind="text/plain"), "is of type text/plain, not text/javascript"),
        (answer("/x", "", NOSNIFF, kind=""), "is of type none, not text/javascript"),
    ],
)
def test_an_early_script_that_does_not_load(found: Answer, seen: str) -> None:
    complaint = one(findings(PREFETCH + BOOT + CORE + PYTHON, boot=found), Level.WARNING)
    assert (complaint.subject, complaint.text) == ("boot", f"/py/session-boot.js {seen}")
    assert "nextauth-py bundle" in complaint.advice
    assert one(findings(PREFETCH + BOOT + CORE, prefetch=found), Level.WARNING).subject == "prefetch"


def test_browsers_run_early_scripts_of_other_types_if_they_may_guess() -> None:
    assert findings(PREFETCH + BOOT + CORE + PYTHON, boot=answer("/x", "", kind="text/plain")) == []


def test_an_early_script_from_another_origin_is_a_note() -> None:
    foreign = PREFETCH.replace("/py/", "https://cdn.example/")
    assert "can read the session" in one(findings(foreign + BOOT + CORE + PYTHON), Level.NOTE).text
    assert findings(foreign.replace(" src", ' integrity="sha256-x" src') + BOOT + CORE + PYTHON) == []


def test_a_copy_that_does_not_load_is_named_in_the_bundle() -> None:
    copy = PREFETCH.replace("/py/", "/js/")
    missing = answer("/x", "", status=404)
    assert one(findings(copy + BOOT + CORE, prefetch=missing), Level.WARNING).advice == (
        'src="/py/session-prefetch.js"'
    )
