"""The scripts for the time before Python: ``session-prefetch.js``, ``-paint.js`` and ``-boot.js``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.urls import DEFAULT_BASE_PATH, origin_of
from .answers import JAVASCRIPT, resolved, shown
from .findings import Finding, note, warning
from .page import PREFETCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Answer
    from .page import Element, Page

PAINT, BOOT = "session-paint.js", "session-boot.js"
EARLY = (PREFETCH, PAINT, BOOT)

# As modules these do not run, or only late: a module has no `document.currentScript`.
_NO_MODULES = {
    PREFETCH: "late, and blind to its data-base-path",
    BOOT: "it stops at once, because it cannot know its folder",
}

_PUBLISH = (
    "publish the whole folder that `nextauth-py bundle` has written, without middleware or catch-all routes"
)


def early_scripts(page: Page) -> dict[str, str]:
    """The addresses of the early scripts that a page names, with their nonces."""
    scripts = [each for name in EARLY for each in page.scripts(name)]
    nonces = {page.resolve(each.get("src")): each.get("nonce") for each in scripts}
    return {url: nonce for url, nonce in nonces.items() if url}


def check_early(page: Page, answers: Mapping[str, Answer], *, bundle: str, base_path: str) -> list[Finding]:
    """Judge the early scripts of a page.

    Args:
        page: The page.
        answers: What the addresses of `early_scripts` answered.
        bundle: The bundle's address, with a slash at its end; empty if it is not known.
        base_path: Where the auth routes are; empty if that is not known.
    """
    return [
        *_absent(page, bundle, base_path),
        *_paint(page),
        *_boot(page, bundle),
        *_as_modules(page),
        *_foreign(page),
        *_unusable(page, answers, bundle),
    ]


def _absent(page: Page, bundle: str, base_path: str) -> Iterator[Finding]:
    where = "" if base_path in {"", DEFAULT_BASE_PATH} else f' data-base-path="{base_path}"'
    if not page.scripts(PREFETCH) and not page.has_session and not page.is_all_in_workers:
        yield note(
            "prefetch",
            "the page asks for the session only once Python is there",
            f"<script {_source(page, PREFETCH, bundle)}{where}></script> in front of core.js",
        )
    if not page.scripts(BOOT):
        yield note(
            "boot",
            "if a file cannot be loaded, the page does not say so",
            f"<script {_source(page, BOOT, bundle)}></script> in front of core.js",
        )


def _source(page: Page, name: str, bundle: str) -> str:
    """The attribute to write; these scripts belong on the page's own origin."""
    site = origin_of(page.url)
    folder = shown(bundle, site) if origin_of(bundle) == site else "…/"
    return f'src="{folder}{name}"'


def _paint(page: Page) -> Iterator[Finding]:
    ahead = [_turn(page, each) for each in page.scripts(PREFETCH)]
    for script in page.scripts(PAINT):
        if not any(turn < _turn(page, script) for turn in ahead):
            yield warning(
                "prefetch",
                "session-paint.js shows nothing: no session-prefetch.js has run before it",
                "session-prefetch.js in front of it, and `defer` at session-paint.js only",
            )


def _turn(page: Page, script: Element) -> tuple[bool, int]:
    """Where a script is in the order in which a page's scripts run."""
    is_deferred = "defer" in script.attributes or script.is_module
    return is_deferred, page.elements.index(script)


def _boot(page: Page, bundle: str) -> Iterator[Finding]:
    """It watches the files below its own folder, and those beside core.js."""
    for script in page.scripts(BOOT)[:1]:
        folder = resolved(page.resolve(script.get("src")), "./")
        site = origin_of(page.url)
        if folder and origin_of(bundle) == site and not bundle.startswith(folder):
            yield warning(
                "boot",
                f"session-boot.js watches files below {shown(folder, site)}, the bundle is at "
                f"{shown(bundle, site)}",
                _source(page, BOOT, bundle),
            )


def _as_modules(page: Page) -> Iterator[Finding]:
    for name, reason in _NO_MODULES.items():
        if any(each.is_module for each in page.scripts(name)):
            yield warning(_topic(name), f"{name} is loaded as a module: {reason}", "take type=module away")


def _foreign(page: Page) -> Iterator[Finding]:
    for name in EARLY:
        for script in page.scripts(name):
            is_foreign = origin_of(page.resolve(script.get("src"))) != origin_of(page.url)
            if is_foreign and "integrity" not in script.attributes:
                seen = f"{name} comes from another origin, which can read the session"
                yield note(_topic(name), seen, "serve it yourself")


def _unusable(page: Page, answers: Mapping[str, Answer], bundle: str) -> Iterator[Finding]:
    site = origin_of(page.url)
    for url, answer in answers.items():
        if reason := _why_unusable(answer, site):
            name = url.partition("?")[0].rpartition("/")[2]
            is_in_bundle = not bundle or url.startswith(bundle + name)
            fix = _PUBLISH if is_in_bundle else _source(page, name, bundle)
            yield warning(_topic(name), f"{shown(url, site)} {reason}", fix)


def _why_unusable(answer: Answer, site: str) -> str:
    if answer.is_redirect:
        return f"redirects to {shown(answer.location, site)}"
    if answer.failure or not answer.ok:
        return f"does not load: {answer.failure or answer.status}"
    if answer.is_html:
        return "is an HTML page"
    kind, is_strict = answer.media_type, "nosniff" in answer.one("x-content-type-options").lower()
    return f"is of type {kind or 'none'}, not text/javascript" if is_strict and kind not in JAVASCRIPT else ""


def _topic(name: str) -> str:
    return "boot" if name == BOOT else "prefetch"
