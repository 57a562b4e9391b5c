"""All checks of a site, in the order in which a page meets them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from . import auth_routes
from .files import check_build, check_file, check_middleware, named_in_interpreter
from .findings import Finding
from .markup import Markup, read_markup
from .policy import check_headers, check_policy, read_policies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .fetch import Answer, Fetcher

# What each page loads of a bundle.
_FILES = ("pyscript/core.js", "pyscript.json", "pyodide/interpreter.mjs", "pyodide/pyodide.mjs", "lit/lit.js")
_LOCK = "pyodide/pyodide-lock.json"


def check_site(
    fetcher: Fetcher, url: str, *, base_path: str | None, bundle: str | None, installed: str
) -> Iterator[Finding]:
    """Check a page, the auth routes of its site, and the bundle that it loads.

    Args:
        fetcher: Asks.
        url: Of the page.
        base_path: Where the auth routes are, if it is known.
        bundle: Where the bundle is, if the page does not say so: a URL, or a path of the site.
        installed: The file name of the wheel that the installed package puts into bundles.

    Raises:
        UnreachableError: The site does not answer.
    """
    page = fetcher.get(url)
    if page.is_redirected:
        yield Finding(
            "note", url, f"redirects to {page.final_url.partition('?')[0]}", "The rest is about that."
        )
    site = page.final_url
    markup = Markup()
    if page.is_ok and page.is_html:
        markup = read_markup(page.body.decode("utf-8", "replace"), site)
        yield from _check_page(page, markup)
    else:
        yield Finding("warning", url, f"no page (HTTP {page.status}, {page.kind or 'no type'})")
    yield from _check_auth(fetcher, site, base_path, markup)
    root = urljoin(site, bundle.rstrip("/") + "/") if bundle else markup.bundle
    if root:
        yield from _check_bundle(fetcher, root, installed)
    for source in dict.fromkeys([*markup.configs, *markup.sources]):
        if not root or not source.startswith(root):
            yield from check_file(fetcher.get(source)) or [Finding("ok", source, "is there")]


def _check_page(page: Answer, markup: Markup) -> Iterator[Finding]:
    if markup.core is None:
        text = "loads no PyScript"
        advice = "Give the URL of a page with Python, and --bundle if React loads PyScript later."
        yield Finding("note", page.final_url, text, advice)
    elif not markup.is_module:
        advice = 'Write <script type="module" …>.'
        yield Finding("error", page.final_url, "loads core.js, but not as a module", advice)
    for policy in read_policies(page, markup):
        findings = list(check_policy(policy, page.final_url, markup))
        yield from findings or [Finding("ok", "Content-Security-Policy", "lets Python run")]
    yield from check_headers(page, markup)


def _check_auth(fetcher: Fetcher, site: str, base_path: str | None, markup: Markup) -> Iterator[Finding]:
    paths = [base_path.rstrip("/")] if base_path else auth_routes.candidates(site, markup.prefetch)
    asked = {path: fetcher.get(urljoin(site, f"{path}/session")) for path in paths}
    found = next((path for path, answer in asked.items() if auth_routes.is_auth_route(answer)), None)
    if found is None:
        yield from auth_routes.explain_missing(asked.values())
        return
    session = asked[found]
    csrf, providers = (fetcher.get(urljoin(site, f"{found}/{name}")) for name in ("csrf", "providers"))
    cookies = [*session.cookies, *csrf.cookies, *providers.cookies]
    which = auth_routes.generation(session, cookies)
    yield Finding("ok", session.url, f"{which}, with base_path={found!r}")
    yield from auth_routes.check_session(session)
    yield from auth_routes.check_csrf(csrf)
    yield from auth_routes.check_providers(providers, site, found)
    yield from auth_routes.check_cookies(cookies, site)
    if markup.prefetch is not None and (markup.prefetch or "/api/auth").rstrip("/") != found:
        text = f"asks at {markup.prefetch or '/api/auth'}"
        advice = f'Write data-base-path="{found}" on its script tag.'
        yield Finding("error", "session-prefetch.js", text, advice)


def _check_bundle(fetcher: Fetcher, root: str, installed: str) -> Iterator[Finding]:
    answers = [fetcher.get(urljoin(root, name)) for name in _FILES]
    findings = [finding for answer in answers for finding in check_file(answer)]
    findings += check_middleware(fetcher.get(urljoin(root, _FILES[0]), with_session=True))
    interpreter = answers[2]
    if interpreter.is_ok and not interpreter.is_html:
        for name in named_in_interpreter(interpreter.body.decode("utf-8", "replace")):
            findings += check_file(fetcher.get(urljoin(root, f"pyodide/{name}")))
    lock = fetcher.get(urljoin(root, _LOCK))
    refusals = check_file(lock)
    findings += refusals
    if not any(each.level == "error" for each in refusals):
        findings += check_build(lock, installed)
    yield from _together(findings)
    if not any(each.level == "error" for each in findings):
        yield Finding("ok", root, "the bundle is there")


def _together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Make one line of what is to be said of several files."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.level, each.text, each.advice), []).append(each)
    for first, *others in groups.values():
        more = f" and {len(others)} more" if others else ""
        yield replace(first, subject=f"{first.subject}{more}")


def is_address(text: str) -> bool:
    """Whether a text is an http(s) URL."""
    parts = urlsplit(text)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
