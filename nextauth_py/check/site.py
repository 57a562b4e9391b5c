"""Requests what the checks need, and collects their findings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ..core.urls import origin_of
from .answers import Answer, resolved, shown
from .auth import AuthAnswers, candidates, check_auth, most_promising, slashed, speaks_nextauth
from .base_path import calls_of, check_base_path
from .bundle import (
    CONFIG,
    CORE,
    FIRST,
    FIRST_OF_CDN,
    Bundle,
    check_bundle,
    check_config,
    config_of,
    further_files,
)
from .cookies import SESSION_PROBE, cookie_header
from .delivery import is_plain
from .early import check_early, early_scripts
from .fetching import BEGINNING
from .findings import Finding, error, note
from .page import Page, check_page, check_redirects, check_sources, parse_page
from .policy import Needs, check_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .auth import Route
    from .base_path import Call
    from .fetching import Fetcher

# Requests at a time, as browsers send to one host.
_PARALLEL = 6

# Of a page's Python files and configs, and of a bundle's files: real ones have fewer.
_MOST_NAMED, _MOST_FILES = 50, 200

# Files of which the contents are read; of others their first bytes.
_READ = (CORE, ".json", "/interpreter.mjs")


class UnreachableError(Exception):
    """The page's server does not answer."""


@dataclass(frozen=True)
class Settings:
    """What the user says of the site.

    Attributes:
        base_path: Where the auth routes are; empty to look for them.
        bundle: Where the bundle is; empty for what the page says.
        installed: The file name of the wheel that the installed package puts into bundles.
    """

    base_path: str = ""
    bundle: str = ""
    installed: str = ""


def check_site(url: str, settings: Settings, fetcher: Fetcher) -> list[Finding]:
    """Check a page, its bundle and the auth routes of its origin.

    Args:
        url: The page's address.
        settings: Where the auth routes and the bundle are.
        fetcher: Sends the requests.

    Raises:
        UnreachableError: The page's server does not answer.
    """
    hops = fetcher.follow(url, stop=lambda answer: answer.to_sign_in)
    last = hops[-1]
    if last.failure:
        raise UnreachableError(f"{shown(last.url)}: {last.failure}")
    page = parse_page(last)
    files = _ask_files(page, last, fetcher)
    calls = calls_of(page, files)
    auth = _ask_auth(page, calls, settings.base_path, fetcher)
    bundle = _ask_bundle(root, page, fetcher) if (root := _bundle_root(page, settings.bundle)) else None
    return [
        *check_redirects(hops),
        *check_auth(auth),
        *_page_findings(page, last, _found(bundle)),
        *(check_base_path(page, calls, auth.base_path) if auth.is_found else []),
        *(_python_findings(page, last, files, auth, bundle) if _has_python(page, last) else []),
        *_config_findings(page, bundle, fetcher),
        *_bundle_findings(page, bundle, settings.installed),
    ]


def _has_python(page: Page, answer: Answer) -> bool:
    return answer.ok and answer.is_html and bool(page.core or page.python)


def _page_findings(page: Page, answer: Answer, bundle: str) -> list[Finding]:
    if answer.ok:
        return check_page(page, answer, bundle)
    seen = f"{shown(answer.url)} answers {answer.status}"
    return [] if answer.is_redirect else [error("page", seen, "check the address of a page, or read the log")]


def _python_findings(
    page: Page, answer: Answer, files: Mapping[str, Answer], auth: AuthAnswers, bundle: Bundle | None
) -> list[Finding]:
    early, sources = early_scripts(page), page.sources
    loaded = {url: each for url, each in files.items() if url in early and not _is_known_missing(url, bundle)}
    base_path = auth.base_path if auth.is_found else ""
    return [
        *check_early(page, loaded, bundle=_found(bundle), base_path=base_path),
        *check_sources(page, {url: each for url, each in files.items() if url in sources}),
        *check_policy(page, answer, _needs(page)),
    ]


def _ask_files(page: Page, answer: Answer, fetcher: Fetcher) -> dict[str, Answer]:
    """The Python files and early scripts of a page."""
    if not _has_python(page, answer):
        return {}
    early = list(early_scripts(page))
    return {url: _followed(url, page, fetcher) for url in page.sources[:_MOST_NAMED] + early[:_MOST_NAMED]}


def _needs(page: Page) -> Needs:
    return Needs(
        scripts=tuple(filter(None, [page.core_url])),
        nonce=page.core.get("nonce") if page.core else "",
        early=early_scripts(page),
        connections=tuple(filter(None, [page.url, *page.sources, *page.configs])),
        has_workers=page.has_workers,
        is_from_cdn=page.is_from_cdn,
    )


# --- the auth routes ---


def _ask_auth(page: Page, calls: list[Call], base_path: str, fetcher: Fetcher) -> AuthAnswers:
    site = origin_of(page.url)
    asked: dict[str, Answer] = {}
    named = base_path.rstrip("/")
    declared = [named, *(each.base_path for each in calls), page.declared_base_path]
    for path in candidates(page.url, declared):
        asked[path] = _with_slash(fetcher.get(f"{site}{path}/session", page=page.url), page, fetcher)
        if speaks_nextauth(asked[path]):
            auth = _ask_routes(named or path, site, page, fetcher)
            return auth if path == auth.base_path else replace(auth, elsewhere=path)
    auth = _ask_routes(named or most_promising(asked), site, page, fetcher)
    return replace(auth, tried=tuple(asked))


def _with_slash(answer: Answer, page: Page, fetcher: Fetcher) -> Answer:
    url = slashed(answer)
    return fetcher.get(url, page=page.url) if url else answer


def _ask_routes(path: str, site: str, page: Page, fetcher: Fetcher) -> AuthAnswers:
    with_slash: list[Route] = []

    def ask(route: Route, cookie: str = "") -> Answer:
        answer = fetcher.get(f"{site}{path}/{route}", page=page.url, cookie=cookie)
        again = slashed(answer)
        if not again:
            return answer
        with_slash.append(route)
        return fetcher.get(again, page=page.url, cookie=cookie)

    session, providers, csrf = ask("session"), ask("providers"), ask("csrf")
    slashed_routes = tuple(with_slash)
    cookie = cookie_header(csrf)
    again = ask("csrf", cookie) if csrf.ok and cookie else None
    return AuthAnswers(path, site, session, providers, csrf, again, slashed_routes)


# --- the bundle ---


def _config_findings(page: Page, bundle: Bundle | None, fetcher: Fetcher) -> list[Finding]:
    findings = []
    for url in page.configs[:_MOST_NAMED]:
        if _is_known_missing(url, bundle):
            continue
        config = config_of(fetcher.get(url, page=page.url))
        # The bundle's own core.js knows its pyscript.json. Which one React adds later is not known.
        comes_with_core = page.core_url in {"", resolved(url, CORE)}
        findings += check_config(config, shown(url, origin_of(page.url)), comes_with_core=comes_with_core)
    return findings


def _bundle_findings(page: Page, bundle: Bundle | None, installed: str) -> list[Finding]:
    if bundle:
        return check_bundle(bundle, installed)
    if page.core or page.python:
        return [note("bundle", "the page names none", "say where it is with --bundle, if there is one")]
    return []


def _found(bundle: Bundle | None) -> str:
    """The address of a bundle of which there are files; else empty."""
    return bundle.url if bundle and bundle.usable else ""


def _is_known_missing(url: str, bundle: Bundle | None) -> bool:
    """Whether a file belongs to a bundle without any usable file, which one finding reports."""
    return bool(bundle and not bundle.usable and url.startswith(bundle.url))


def _bundle_root(page: Page, named: str) -> str:
    """The bundle's address, with a slash at its end; empty if the page does not tell."""
    if named:
        return resolved(page.url, f"{named.rstrip('/')}/")
    for url in page.configs:
        if url.partition("?")[0].endswith(f"/{CONFIG}"):
            return resolved(url, "./")
    address = page.core_url.partition("?")[0]
    return address.removesuffix(CORE) if address.endswith(f"/{CORE}") else ""


def _ask_bundle(root: str, page: Page, fetcher: Fetcher) -> Bundle:
    ask = partial(_ask_file, root=root, page=page, fetcher=fetcher)
    with ThreadPoolExecutor(_PARALLEL) as threads:
        answers = _asked(FIRST_OF_CDN, ask, threads)
        config = config_of(answers[CONFIG])
        is_cdn = "interpreter" not in config if config else page.is_from_cdn
        if not is_cdn:
            answers |= _asked((path for path in FIRST if path not in answers), ask, threads)
        answers |= _asked(further_files(answers, is_cdn=is_cdn)[:_MOST_FILES], ask, threads)
    first = next(iter(further_files({}, is_cdn=True))) if is_cdn else CORE
    probed = fetcher.get(
        root + first, page=page.url, destination="script", cookie=SESSION_PROBE, longest=BEGINNING
    )
    return Bundle(root, page.url, answers, is_cdn, probed)


def _asked(
    paths: Iterable[str], ask: Callable[[str], Answer], threads: ThreadPoolExecutor
) -> dict[str, Answer]:
    names = list(paths)
    return dict(zip(names, threads.map(ask, names), strict=True))


def _ask_file(path: str, *, root: str, page: Page, fetcher: Fetcher) -> Answer:
    url = root + path
    if path.endswith(_READ):
        answer = fetcher.get(url, page=page.url, destination="script")
    else:
        answer = fetcher.get(url, page=page.url, destination="script", longest=BEGINNING)
    if is_plain(path, answer):
        # It may come in another compression that browsers understand.
        other = fetcher.get(url, page=page.url, destination="script", longest=BEGINNING, codings="br, zstd")
        if other.one("content-encoding"):
            return Answer(url, answer.status, other.headers, answer.body, is_whole=answer.is_whole)
    return answer


def _followed(url: str, page: Page, fetcher: Fetcher) -> Answer:
    """The answer of a file's URL, or of the one that it redirects to."""
    answer = fetcher.get(url, page=page.url)
    if answer.is_redirect and not answer.to_sign_in:
        return fetcher.get(answer.location, page=page.url)
    return answer
