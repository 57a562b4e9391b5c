"""A page's headers: does its content security policy let Python run?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fetch import Answer
    from .markup import Markup

Policy = dict[str, list[str]]

_EVAL = {"'unsafe-eval'", "'wasm-unsafe-eval'"}


def read_policies(page: Answer, markup: Markup) -> list[Policy]:
    """Return the policies of a page's header and of its ``<meta>`` elements. All of them hold."""
    texts = [*page.headers.get("content-security-policy", "").split(","), *markup.policies]
    return [policy for policy in map(_read, texts) if policy]


def _read(text: str) -> Policy:
    policy: Policy = {}
    for directive in text.split(";"):
        name, *sources = directive.split() or [""]
        if name:
            policy.setdefault(name.lower(), sources)
    return policy


def check_policy(policy: Policy, page: str, markup: Markup) -> Iterator[Finding]:
    """Check one policy for a page's URL."""
    subject = "Content-Security-Policy"
    scripts = _sources(policy, "script-src")
    if scripts is not None:
        needed = {"'unsafe-eval'"} if markup.is_from_cdn else _EVAL
        if not needed & set(scripts):
            word = "'unsafe-eval'" if markup.is_from_cdn else "'wasm-unsafe-eval'"
            yield Finding("error", subject, f"script-src without {word}: Python cannot start", f"Add {word}.")
        if "'strict-dynamic'" in scripts:
            text = "script-src with 'strict-dynamic': only scripts with a nonce run"
            yield Finding("warning", subject, text, "Give PyScript's script tag the nonce.")
        elif markup.core and not allows(scripts, markup.core, page):
            advice = f"Add {_origin_or_self(markup.core, page)}."
            yield Finding("error", subject, f"script-src does not let {markup.core} load", advice)
    requests = _sources(policy, "connect-src")
    if requests is not None and not allows(requests, page, page):
        text = "connect-src without 'self': neither the session nor Python's files can be asked for"
        yield Finding("error", subject, text, "Add 'self'.")
    workers = policy.get("worker-src", policy.get("child-src", scripts))
    if markup.has_workers and workers is not None and not allows(workers, page, page):
        text = "worker-src without 'self': scripts with the attribute worker do not start"
        yield Finding("error", subject, text, "Add 'self'.")
    if "sandbox" in policy and "allow-same-origin" not in policy["sandbox"]:
        text = "sandbox without allow-same-origin: the page has no cookies"
        yield Finding("error", subject, text, "Add allow-same-origin and allow-scripts.")


def _sources(policy: Policy, name: str) -> list[str] | None:
    return policy.get(name, policy.get("default-src"))


def allows(sources: list[str], url: str, page: str) -> bool:
    """Whether a list of sources lets a page load a URL. Nonces and hashes are not looked at."""
    target, own = urlsplit(url), urlsplit(page)
    for source in sources:
        if source == "*" or (
            source == "'self'" and (target.scheme, target.netloc) == (own.scheme, own.netloc)
        ):
            return True
        if source.endswith(":") and source[:-1] == target.scheme:
            return True
        if not source.startswith("'") and _is_host(source, target.scheme, target.netloc):
            return True
    return False


def _is_host(source: str, scheme: str, netloc: str) -> bool:
    wanted, _, rest = source.rpartition("://")
    host = rest.partition("/")[0]
    if wanted and wanted != scheme:
        return False
    return netloc == host or (host.startswith("*.") and netloc.endswith(host[1:]))


def _origin_or_self(url: str, page: str) -> str:
    target, own = urlsplit(url), urlsplit(page)
    same = (target.scheme, target.netloc) == (own.scheme, own.netloc)
    return "'self'" if same else f"{target.scheme}://{target.netloc}"


def check_headers(page: Answer, markup: Markup) -> Iterator[Finding]:
    """Check the page's headers besides its policy."""
    opener = page.headers.get("cross-origin-opener-policy", "").partition(";")[0].strip()
    if opener == "same-origin":
        text = "same-origin: a window of another site cannot answer this page"
        yield Finding(
            "note", "Cross-Origin-Opener-Policy", text, "For popups write same-origin-allow-popups."
        )
    embedder = page.headers.get("cross-origin-embedder-policy", "").partition(";")[0].strip()
    if embedder == "require-corp" and markup.is_from_cdn:
        text = "require-corp: the CDN's files need Cross-Origin-Resource-Policy"
        yield Finding("warning", "Cross-Origin-Embedder-Policy", text)
    names = {cookie.name for cookie in page.cookies}
    if names and page.is_kept_by_all:
        text = f"sets cookies ({', '.join(sorted(names))}), and lets shared caches keep the page"
        advice = "A cache that keeps both hands one visitor's cookies to others. Write private, or set none."
        yield Finding("warning", page.url, text, advice)
