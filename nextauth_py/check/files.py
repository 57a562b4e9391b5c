"""The files of a bundle and of a page's Python: are they there, public, of the right type, well cached?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fetch import Answer

_SCRIPTS = {"text/javascript", "application/javascript", "application/x-javascript"}

# By the end of their name: the types that browsers insist on, as a module or for compiling while they load.
_TYPES = {".js": _SCRIPTS, ".mjs": _SCRIPTS, ".wasm": {"application/wasm"}}

# What never changes has a hash in its path; the same as in docs/start.md.
_UNCHANGING = re.compile(r"/pyodide/[0-9a-f]{8}/|/pyscript/.*-[\w-]{8}\.js$|\.whl$")

_WORTH_COMPRESSING = 100_000  # bytes
_A_DAY = 86_400  # seconds


def named_in_interpreter(interpreter: str) -> list[str]:
    """Return the files in folders named after a hash that a bundle's interpreter.mjs names.

    Without the WebAssembly that only browsers load for which there is no snapshot.
    """
    names = sorted(set(re.findall(r"[0-9a-f]{8}/[\w.]+", interpreter)))
    has_snapshot = any(name.endswith("/snapshot.bin") for name in names)
    return [name for name in names if not (has_snapshot and name.endswith(".wasm"))]


def check_file(answer: Answer) -> list[Finding]:
    """Check one file. What is not there or not public needs no further look."""
    refusal = _refusal(answer)
    return [refusal] if refusal else [*_check_type(answer), *_check_cookies(answer), *_check_delivery(answer)]


def _refusal(answer: Answer) -> Finding | None:
    advice = "Does middleware protect it? Leave the bundle's folder and .py files out of its matcher."
    if answer.is_redirected:
        text = f"redirects to {answer.final_url.partition('?')[0]}"
        return Finding("error", answer.url, text, advice)
    if not answer.is_ok:
        missing = f"HTTP {answer.status}"
        return Finding("error", answer.url, missing, "Is the bundle built, and served under this path?")
    if answer.is_html:
        return Finding("error", answer.url, "HTML in its place", advice)
    return None


def _check_type(answer: Answer) -> Iterator[Finding]:
    path = answer.url.partition("?")[0]
    for ending, kinds in _TYPES.items():
        if path.endswith(ending) and answer.kind not in kinds:
            advice = f"Serve {ending} as {max(kinds)}: browsers run it as nothing else."
            yield Finding("error", answer.url, f"Content-Type {answer.kind or 'missing'}", advice)


def _check_cookies(answer: Answer) -> Iterator[Finding]:
    if not answer.cookies:
        return
    names = ", ".join(sorted({cookie.name for cookie in answer.cookies}))
    advice = "Leave static files out of the middleware's matcher: such answers undo sign-outs."
    if answer.is_kept_by_all:
        advice = "A shared cache would hand one visitor's cookie to others. " + advice
        yield Finding("error", answer.url, f"sets cookies ({names})", advice)
    else:
        yield Finding("warning", answer.url, f"sets cookies ({names})", advice)


def check_middleware(answer: Answer) -> Iterator[Finding]:
    """Check the answer to a request for a file with a session cookie."""
    if any("session-token" in cookie.name for cookie in answer.cookies):
        text = "middleware runs for it, and sets the session cookie of who is signed in"
        advice = "Leave the bundle's folder out of its matcher: such answers undo sign-outs."
        yield Finding("warning", answer.url, text, advice)


def _check_delivery(answer: Answer) -> Iterator[Finding]:
    path, directives = answer.url.partition("?")[0], answer.cache_control
    age = directives.get("s-maxage", directives.get("max-age", "0"))
    is_kept = "immutable" in directives or (age.isdigit() and int(age) >= _A_DAY)
    if _UNCHANGING.search(path) and not is_kept:
        advice = 'It never changes: write Cache-Control "public, max-age=31536000, immutable".'
        yield Finding("warning", answer.url, "browsers ask for it at each visit", advice)
    elif not _UNCHANGING.search(path) and is_kept:
        advice = "Write no-cache: visitors would go on with an old bundle after an update."
        yield Finding("error", answer.url, f"Cache-Control: {answer.headers['cache-control']}", advice)
    is_text = path.endswith((".js", ".mjs", ".json", ".wasm"))
    if is_text and len(answer.body) > _WORTH_COMPRESSING and "content-encoding" not in answer.headers:
        advice = "Compress .js, .mjs and .wasm with gzip or brotli."
        yield Finding("warning", answer.url, f"{len(answer.body) / 1e6:.1f} MB, not compressed", advice)


def check_build(lock: Answer, installed: str) -> Iterator[Finding]:
    """Compare a bundle's lock file with the wheel that the installed package would put into a bundle."""
    try:
        packages: Any = lock.json()["packages"]
        bundled = str(packages["nextauth-py"]["file_name"])
    except (ValueError, KeyError, TypeError):
        yield Finding(
            "error", lock.url, "no bundle's lock file", "Build the bundle again: nextauth-py bundle OUT."
        )
        return
    if bundled != installed:
        advice = "Run nextauth-py bundle again, or install the package that made it."
        yield Finding(
            "warning", lock.url, f"made by another version than the installed one: {bundled}", advice
        )
