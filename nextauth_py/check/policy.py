"""What a page's Content Security Policy, and the policies about windows, leave of a page with Python.

A page with a bundle needs 'wasm-unsafe-eval'. PyScript's own files evaluate text, so pages that load them
from a CDN need 'unsafe-eval', and do without Trusted Types. PyScript starts workers from a `blob:` address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.urls import origin_of, split_url
from .answers import shown
from .findings import Finding, error, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .answers import Answer
    from .page import Page

# Where a directive is looked for, if the policy does not have it.
_FALLBACKS = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "script-src": ("script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
}
_EVAL = "'unsafe-eval'"
_WASM = "'wasm-unsafe-eval'"
_TRUST_ONLY_SCRIPTS = "'strict-dynamic'"

# The Trusted Types of lit-html, of this package and of PyScript's workers in a bundle.
_TYPES = ("lit-html", "nextauth_py", "nextauth_py-worker")
_WORKER_TYPES = ("pyscript-worker",)

_SECURE = {"http": "https", "ws": "wss"}


@dataclass(frozen=True)
class Needs:
    """What a page with Python loads.

    Attributes:
        scripts: The addresses of its modules.
        nonce: Of the script that is PyScript.
        early: The addresses of its scripts for the time before Python, with their nonces.
        connections: The addresses that its scripts ask.
        has_workers: Whether its Python runs in a worker.
        is_from_cdn: Whether PyScript does not come from a bundle.
    """

    scripts: tuple[str, ...] = ()
    nonce: str = ""
    early: Mapping[str, str] = field(default_factory=dict)
    connections: tuple[str, ...] = ()
    has_workers: bool = False
    is_from_cdn: bool = False


@dataclass(frozen=True)
class Policy:
    """A Content Security Policy: the sources of each directive, names in lower case."""

    directives: Mapping[str, tuple[str, ...]]

    def sources(self, directive: str) -> tuple[str, ...] | None:
        """What a directive, or the one in its place, allows; None if nothing limits it."""
        for name in _FALLBACKS[directive]:
            if name in self.directives:
                return self.directives[name]
        return None

    def name_of(self, directive: str) -> str:
        """The directive that counts for it."""
        return next(name for name in _FALLBACKS[directive] if name in self.directives)


def parse_policies(values: Sequence[str]) -> list[Policy]:
    """Read the values of a header, or of `<meta>` elements. All of them hold at the same time."""
    policies = []
    for value in values:
        for text in value.split(","):
            directives: dict[str, tuple[str, ...]] = {}
            for each in text.split(";"):
                name, *sources = each.split() or [""]
                if name:
                    directives.setdefault(name.lower(), tuple(sources))
            if directives:
                policies.append(Policy(directives))
    return policies


def allows(sources: Sequence[str] | None, url: str, page: str, nonce: str = "") -> bool:
    """Whether sources allow an address.

    Args:
        sources: Those of a directive; None if nothing limits it.
        url: The address.
        page: The page's address.
        nonce: That of the script, if it is one.
    """
    if sources is None:
        return True
    if nonce and f"'nonce-{nonce}'" in sources:
        return True
    if _TRUST_ONLY_SCRIPTS in sources:
        return False
    return any(_matches(source, url, page) for source in sources)


def _matches(source: str, url: str, page: str) -> bool:
    if source == "'self'":
        return origin_of(url) == origin_of(page)
    if source.startswith("'"):
        return False
    if source == "*":
        return split_url(url).scheme in {"http", "https"}
    if source.endswith(":"):
        return _scheme_matches(source[:-1].lower(), split_url(url).scheme)
    return _host_matches(source, url, page)


def _scheme_matches(allowed: str, scheme: str) -> bool:
    return scheme in {allowed, _SECURE.get(allowed, allowed)}


def _host_matches(source: str, url: str, page: str) -> bool:
    scheme, found, rest = source.rpartition("://")
    host, slash, path = rest.partition("/")
    name, _, port = host.partition(":")
    asked = split_url(url)
    if not _scheme_matches(scheme.lower() if found else split_url(page).scheme, asked.scheme):
        return False
    asked_host = (asked.hostname or "").lower()
    is_host = asked_host.endswith(name[1:].lower()) if name.startswith("*.") else asked_host == name.lower()
    default_port = {"http": 80, "https": 443}.get(asked.scheme)
    is_port = port == "*" or (asked.port or default_port) == (int(port) if port.isdecimal() else default_port)
    allowed = slash + path
    is_path = not allowed or (
        asked.path.startswith(allowed) if allowed.endswith("/") else asked.path == allowed
    )
    return is_host and is_port and is_path


def _worker_allowed(policy: Policy, url: str, page: str) -> bool:
    sources = policy.sources("worker-src")
    if sources is None or _TRUST_ONLY_SCRIPTS in sources:
        return True
    if url == "blob:":
        return "blob:" in sources
    return allows(sources, url, page)


def check_policy(page: Page, answer: Answer, needs: Needs) -> list[Finding]:
    """Judge the policies of a page.

    Args:
        page: The page.
        answer: What it was read from.
        needs: What it loads.
    """
    metas = [
        each.get("content")
        for each in page.all("meta")
        if each.get("http-equiv").lower() == "content-security-policy"
    ]
    values = [*answer.all("content-security-policy"), *metas]
    policies = parse_policies(values)
    findings = list(_windows(answer))
    if policies:
        problems = {each.text: each for policy in policies for each in _problems(policy, page, needs)}
        findings += problems.values()
        if not any(each.level == "error" for each in problems.values()):
            findings.append(ok("policy", "the Content Security Policy lets Python run"))
    elif answer.one("content-security-policy-report-only"):
        findings.append(note("policy", "the Content Security Policy is report-only, so it was not checked"))
    return findings


def _problems(policy: Policy, page: Page, needs: Needs) -> Iterator[Finding]:
    yield from _sandbox(policy)
    yield from _evaluation(policy, needs)
    yield from _trusted_types(policy, needs)
    yield from _sources(policy, page, needs)
    yield from _workers(policy, page, needs)
    if "upgrade-insecure-requests" in policy.directives and split_url(page.url).scheme == "http":
        yield warning(
            "policy",
            "upgrade-insecure-requests on a site without TLS: its scripts are asked for by https",
            "send it with https only",
        )
    if "base-uri" not in policy.directives:
        yield note(
            "policy",
            "without base-uri, injected markup can lead the page's URLs elsewhere",
            "base-uri 'self'",
        )


def _sandbox(policy: Policy) -> Iterator[Finding]:
    wanted = {"allow-scripts", "allow-same-origin"}
    if "sandbox" in policy.directives and (missing := wanted - set(policy.directives["sandbox"])):
        yield error(
            "policy",
            "its sandbox keeps scripts, cookies or both from the page",
            f"sandbox {' '.join(sorted(missing))}",
        )


def _evaluation(policy: Policy, needs: Needs) -> Iterator[Finding]:
    sources = policy.sources("script-src")
    if sources is None or _EVAL in sources or (_WASM in sources and not needs.is_from_cdn):
        return
    name = policy.name_of("script-src")
    if needs.is_from_cdn:
        yield error(
            "policy",
            f"{name} lacks {_EVAL}: PyScript from its CDN evaluates text when it starts",
            f"script-src … {_EVAL}; or a bundle of your own, which needs {_WASM} only",
        )
    else:
        yield error("policy", f"{name} lacks {_WASM}: Python cannot start", f"script-src … {_WASM}")


def _trusted_types(policy: Policy, needs: Needs) -> Iterator[Finding]:
    if "'script'" not in policy.directives.get("require-trusted-types-for", ()):
        return
    if needs.is_from_cdn:
        seen = "require-trusted-types-for 'script' stops PyScript from its CDN, which evaluates text"
        yield error("policy", seen, "leave it out, or use a bundle of your own")
        return
    names = policy.directives.get("trusted-types")
    wanted = [*_TYPES, *(_WORKER_TYPES if needs.has_workers else ())]
    if names is not None and "*" not in names and (missing := [name for name in wanted if name not in names]):
        seen = f"trusted-types does not allow {' '.join(missing)}, which pages with Python make"
        yield error("policy", seen, f"trusted-types {' '.join([*names, *missing])}")


def _sources(policy: Policy, page: Page, needs: Needs) -> Iterator[Finding]:
    scripts = policy.sources("script-src-elem")
    refused = [url for url in needs.scripts if not allows(scripts, url, page.url, needs.nonce)]
    if refused:
        name = policy.name_of("script-src-elem")
        origins = _named(refused, page.url)
        yield error(
            "policy", f"{name} does not allow {shown(refused[0], origin_of(page.url))}", f"{name} … {origins}"
        )
    blocked = [url for url, nonce in needs.early.items() if not allows(scripts, url, page.url, nonce)]
    if blocked:
        name = policy.name_of("script-src-elem")
        seen = f"{name} does not allow {listed([shown(url, origin_of(page.url)) for url in blocked])}"
        yield warning("policy", seen, f"{name} … {_named(blocked, page.url)}")
    connections = policy.sources("connect-src")
    closed = [url for url in needs.connections if not allows(connections, url, page.url)]
    if closed:
        yield error(
            "policy",
            f"{policy.name_of('connect-src')} lets no script ask {_named(closed, page.url)}, where session, "
            "Python and packages are",
            f"connect-src … {_named(closed, page.url)}",
        )


def _named(urls: Sequence[str], page: str) -> str:
    """The sources that allow addresses."""
    origins = dict.fromkeys(origin_of(url) for url in urls)
    return " ".join("'self'" if origin == origin_of(page) else origin for origin in origins)


def _workers(policy: Policy, page: Page, needs: Needs) -> Iterator[Finding]:
    if needs.has_workers and not _worker_allowed(policy, "blob:", page.url):
        yield error(
            "policy",
            f"{policy.name_of('worker-src')} allows no worker of a blob:, as which PyScript starts them",
            "worker-src 'self' blob:",
        )
    elif not _worker_allowed(policy, page.url, page.url):
        yield warning(
            "policy",
            f"{policy.name_of('worker-src')} allows no worker, so the page's own thread checks the bundle",
            "worker-src 'self'",
        )


def _windows(answer: Answer) -> Iterator[Finding]:
    opener = answer.one("cross-origin-opener-policy").partition(";")[0].strip().lower()
    if opener in {"same-origin", "noopener-allow-popups"}:
        yield warning(
            "windows",
            f"Cross-Origin-Opener-Policy: {opener} cuts the page off from the windows that it opens",
            "Cross-Origin-Opener-Policy: same-origin-allow-popups, if you sign in by popups",
        )
    embedder = answer.one("cross-origin-embedder-policy").partition(";")[0].strip().lower()
    if embedder in {"require-corp", "credentialless"}:
        yield note(
            "windows",
            f"Cross-Origin-Embedder-Policy: {embedder}: what comes from other origins has to allow it",
            "Cross-Origin-Resource-Policy: cross-origin at what comes from elsewhere",
        )
