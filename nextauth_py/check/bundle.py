"""A bundle's files as a site serves them: whether they are complete, undamaged and of the right types."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.urls import origin_of
from .answers import JAVASCRIPT, Answer, shown
from .caching import storing_reason
from .cookies import SetCookie, cookies_of, is_auth_cookie
from .delivery import check_caching, check_compression
from .findings import Finding, error, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CORE = "pyscript/core.js"
CONFIG = "pyscript.json"
LOCK = "pyodide/pyodide-lock.json"
INTERPRETER = "pyodide/interpreter.mjs"

# What each bundle has, and what names the others.
FIRST = (CONFIG, LOCK, INTERPRETER, CORE)
FIRST_OF_CDN = (CONFIG,)
_OF_EACH = ("lit/lit.js", "lit/lit-html.js", "session-popup.js")
_FIXED = ("pyodide/pyodide.mjs", "pyodide/preload.mjs", "pyscript/page-config.js", *_OF_EACH)

_IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["']\./([\w.-]+\.js)["']""")

_SCRIPTS = (".js", ".mjs")
_BEGINNINGS = {".bin": b"\x1f\x8b", ".whl": b"PK", ".wasm": b"\0asm", ".zip": b"PK"}


_GIT_LFS = b"version https://git-lfs"
_NOT_FOUND = 404


@dataclass(frozen=True)
class Bundle:
    """What a site answered when asked for the files of its bundle.

    Attributes:
        url: The bundle's address, with a slash at its end.
        page: The address of the page that loads it.
        answers: By path in the bundle.
        is_cdn: Whether it is one for pages that load PyScript from its CDN.
        probed: A file's answer to an invalid session cookie; None if that was not requested.
    """

    url: str
    page: str
    answers: Mapping[str, Answer]
    is_cdn: bool = False
    probed: Answer | None = None

    @property
    def usable(self) -> dict[str, Answer]:
        """The answers that are files."""
        return {path: answer for path, answer in self.answers.items() if answer.ok and not answer.is_html}

    @property
    def is_missing(self) -> bool:
        """Whether none of its files is there."""
        return all(answer.status == _NOT_FOUND for answer in self.answers.values())

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is on another origin than the page."""
        return origin_of(self.url) != origin_of(self.page)


# --- which files there are ---


def facts_of(interpreter: Answer | None) -> dict[str, Any]:
    """What `interpreter.mjs` says about its bundle; empty if that cannot be read."""
    text = interpreter.text if interpreter and interpreter.ok and interpreter.is_whole else ""
    _, found, rest = text.partition("const bundle = ")
    try:
        facts = json.JSONDecoder().raw_decode(rest)[0] if found else {}
    except (ValueError, RecursionError):
        return {}
    return _mapping(facts)


def config_of(answer: Answer | None) -> dict[str, Any]:
    """A config of PyScript; empty if it cannot be read."""
    try:
        found = answer.json() if answer and answer.ok else {}
    except ValueError:
        return {}
    return _mapping(found)


def packages_of(answer: Answer | None) -> dict[str, Any]:
    """The packages of a lock file by name; empty if it cannot be read."""
    return _mapping(config_of(answer).get("packages"))


def further_files(answers: Mapping[str, Answer], *, is_cdn: bool) -> list[str]:
    """The other files of a bundle, by what its first ones name.

    Args:
        answers: Those of `FIRST`, by path.
        is_cdn: Whether PyScript comes from its CDN.
    """
    if is_cdn:
        return [*_own_wheels(config_of(answers.get(CONFIG))), *_OF_EACH]
    facts = facts_of(answers.get(INTERPRETER))
    parts = [_text(_mapping(part).get("name")) for part in _mapping(facts.get("parts")).values()]
    replaced = [_text(name) for name in _mapping(facts.get("replaced")).values()]
    wheels = [_text(_mapping(entry).get("file_name")) for entry in packages_of(answers.get(LOCK)).values()]
    named = [_text(facts.get("module")), _text(facts.get("checked")), *parts, *replaced, *wheels]
    core = answers.get(CORE)
    scripts = _IMPORTED.findall(core.text) if core and core.ok and not core.is_html else []
    paths = [
        *(f"pyodide/{name}" for name in named if name),
        *(f"pyscript/{name}" for name in scripts),
        *_FIXED,
    ]
    return [path for path in dict.fromkeys(paths) if path not in FIRST and _is_inside(path)]


def _own_wheels(config: Mapping[str, Any]) -> list[str]:
    packages = config.get("packages", [])
    names = [each for each in packages if isinstance(each, str)] if isinstance(packages, list) else []
    return [
        name.removeprefix("./") for name in names if name.startswith("./nextauth_py-") and _is_inside(name)
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_inside(path: str) -> bool:
    return ".." not in path and not {"?", "#", "\\"} & set(path)


# --- whether they are served well ---


def check_bundle(bundle: Bundle, installed: str) -> list[Finding]:
    """Judge a bundle.

    Args:
        bundle: Its files.
        installed: The file name of the wheel that the installed package puts into bundles.
    """
    site = origin_of(bundle.page)
    place = shown(bundle.url, site)
    if bundle.is_missing:
        command = f"nextauth-py bundle {'--cdn ' if bundle.is_cdn else ''}OUT"
        fix = f"run `{command}`, OUT being the folder that is served at {place}; or correct the path"
        return [error("bundle", f"{place}: none of its files is there (404)", fix)]
    missing = list(_missing(bundle))
    if not bundle.usable:
        return missing
    has_snapshot = bool(facts_of(bundle.answers.get(INTERPRETER)).get("snapshot"))
    problems = [
        *missing,
        *_damaged(bundle),
        *_types(bundle),
        *_cross_origin(bundle),
        *_version(bundle, installed),
        *_cookies(bundle),
        *_middleware(bundle),
        *check_caching(bundle.usable),
        *check_compression(bundle.usable, has_snapshot=has_snapshot),
    ]
    count = len(bundle.answers)
    if len(bundle.usable) == count:
        return [ok("bundle", f"{place}: all of the {count} files that a page may load are there"), *problems]
    return problems


def _missing(bundle: Bundle) -> Iterator[Finding]:
    site = origin_of(bundle.page)
    place = shown(bundle.url, site)
    groups: dict[tuple[str, str], list[str]] = {}
    for path, answer in bundle.answers.items():
        if reason := _absence(answer, site):
            groups.setdefault(reason, []).append(path)
    for (why, fix), paths in groups.items():
        yield error("bundle", f"{place}: {why}: {listed(paths)}", fix)


_GUARD = 'exclude the bundle and .py files from it, as with matcher: ["/((?!api/auth|static/|.*\\.py$).*)"]'
_NOT_PUBLISHED = (
    "publish the whole folder that `nextauth-py bundle` has written; build tools and .gitignore often leave "
    "out `dist`, .whl or .wasm files"
)
_CAUGHT = (
    "serve the folder before any catch-all route, without middleware, and answer 404 for what is not there"
)


def _absence(answer: Answer, site: str) -> tuple[str, str] | None:
    """Why a file is not there, and what to write."""
    target = shown(answer.location, site) if answer.is_redirect else ""
    refused = {401, 403}
    reasons = (
        (answer.failure, answer.failure, "is the server that has the bundle running?"),
        (answer.to_sign_in, f"a middleware guards it, and redirects to {target}", _GUARD),
        (answer.is_redirect, f"redirected to {target}", "name the address at which the bundle is served"),
        (answer.status in refused, f"refused ({answer.status})", f"scripts have to be public: {_GUARD}"),
        (answer.status == _NOT_FOUND, "not there (404)", _NOT_PUBLISHED),
        (not answer.ok, f"the server fails ({answer.status})", "read its log"),
        (answer.is_html, "an HTML page in place of the file", _CAUGHT),
    )
    return next(((reason, fix) for holds, reason, fix in reasons if holds), None)


def _damaged(bundle: Bundle) -> Iterator[Finding]:
    damaged = []
    for path, answer in bundle.usable.items():
        wanted = _BEGINNINGS.get(_suffix(path), b"")
        if answer.body.startswith(_GIT_LFS):
            yield error(
                "bundle", f"{path} is a pointer of Git LFS", "publish the files themselves: git lfs pull"
            )
        elif answer.body and not answer.body.startswith(wanted):
            damaged.append(path)
    if damaged:
        yield error(
            "bundle",
            f"not as `nextauth-py bundle` has written them: {listed(damaged)}",
            "serve them byte for byte: no Content-Encoding that is not true, no conversion of texts",
        )


def _types(bundle: Bundle) -> Iterator[Finding]:
    usable = bundle.usable
    scripts = {path: each.media_type for path, each in usable.items() if path.endswith(_SCRIPTS)}
    wrong = {path: kind for path, kind in scripts.items() if kind not in JAVASCRIPT}
    if wrong:
        kinds = listed(sorted({kind or "none" for kind in wrong.values()}))
        yield error(
            "bundle",
            f"no browser runs modules of type {kinds}: {listed(list(wrong))}",
            "serve .mjs and .js as text/javascript; in nginx's mime.types: text/javascript js mjs;",
        )
    code = {path: each.media_type for path, each in usable.items() if path.endswith(".wasm")}
    if slow := [path for path, kind in code.items() if kind != "application/wasm"]:
        yield warning(
            "bundle",
            f"{listed(slow)} is {code[slow[0]] or 'of no type'}: not compiled while it loads, and not kept",
            "serve .wasm as application/wasm",
        )
    if not wrong and not slow:
        yield ok("bundle", "scripts and WebAssembly have the right types")


def _cross_origin(bundle: Bundle) -> Iterator[Finding]:
    if not bundle.is_elsewhere:
        return
    site = origin_of(bundle.page)
    closed = [
        path
        for path, answer in bundle.usable.items()
        if answer.one("access-control-allow-origin") not in {"*", site}
    ]
    if closed:
        yield error(
            "bundle",
            f"{origin_of(bundle.url)} does not allow pages of {site} to load {listed(closed)}",
            f"Access-Control-Allow-Origin: {site} (or *) on all of its files",
        )
    else:
        yield note(
            "bundle",
            f"it is on another origin, {origin_of(bundle.url)}, which allows it; no worker checks it",
        )


def _version(bundle: Bundle, installed: str) -> Iterator[Finding]:
    file_name = _own_wheel(packages_of(bundle.answers.get(LOCK)))
    if bundle.is_cdn:
        file_name = "".join(_own_wheels(config_of(bundle.answers.get(CONFIG)))[:1])
    lock = _mapping(facts_of(bundle.answers.get(INTERPRETER)).get("lock"))
    known = _own_wheel(_mapping(lock.get("packages")))
    if not file_name:
        return
    if known not in {"", file_name}:
        yield error(
            "bundle",
            f"files of two builds: {INTERPRETER} has {known}, {LOCK} {file_name}",
            "publish the whole folder at once, and empty the caches in between",
        )
    found, wanted = _version_of(file_name), _version_of(installed)
    if found != wanted or not (bundle.is_cdn or file_name == installed):
        other = (
            f"{found}, the one installed here {wanted}"
            if found != wanted
            else f"{file_name}, not {installed}"
        )
        fix = "`nextauth-py bundle` again, and publish the folder"
        yield warning("bundle", f"its nextauth_py is {other}", fix)
    else:
        yield ok("bundle", f"its nextauth_py is the one installed here, {file_name}")


def _own_wheel(packages: Mapping[str, Any]) -> str:
    return _text(_mapping(packages.get("nextauth-py")).get("file_name"))


def _version_of(file_name: str) -> str:
    return [*file_name.split("-"), "", ""][1]


def _cookies(bundle: Bundle) -> Iterator[Finding]:
    setting = {path: cookies_of(answer) for path, answer in bundle.answers.items() if cookies_of(answer)}
    if not setting:
        return
    own = [path for path, cookies in setting.items() if any(map(is_auth_cookie, cookies))]
    names = sorted({cookie.name for cookies in setting.values() for cookie in cookies})
    kept = [path for path in setting if storing_reason(bundle.answers[path])]
    count = f"{len(setting)} of {len(bundle.answers)} files"
    seen = f"{count} set cookies ({listed(names)}): {listed(list(setting))}"
    matcher = "exclude the bundle from the middleware: files need no session"
    if own and kept:
        yield error(
            "bundle", f"{seen}; shared caches may keep {listed(kept)} with a visitor's cookies", matcher
        )
    elif own:
        yield warning("bundle", f"{seen}; middleware runs for them, and renews sessions", matcher)
    else:
        yield note("bundle", seen, "cookies on files keep shared caches from storing them")


def _all_cookies(bundle: Bundle) -> list[SetCookie]:
    return [cookie for answer in bundle.answers.values() for cookie in cookies_of(answer)]


def _middleware(bundle: Bundle) -> Iterator[Finding]:
    """Middleware that reads sessions deletes the cookie of an invalid one."""
    if not bundle.probed or any(map(is_auth_cookie, _all_cookies(bundle))):
        return  # what is set without a session cookie, too, has been said
    if any("session-token" in cookie.name for cookie in cookies_of(bundle.probed)):
        yield warning(
            "bundle",
            "middleware runs for its files, and sets the session cookie of who is signed in: such answers "
            "undo sign-outs",
            _GUARD,
        )


def _suffix(path: str) -> str:
    return f".{path.rpartition('.')[2]}"


# --- how a page names it ---


def check_config(config: Mapping[str, Any], place: str, *, comes_with_core: bool) -> list[Finding]:
    """Judge a config that a page names.

    Args:
        config: What it says; empty if it could not be read.
        place: Its address, as shown.
        comes_with_core: Whether the page loads the core.js that lies beside it.
    """
    if not config:
        return [
            error("config", f"{place} is no JSON with a config of PyScript", "is it there, and is it JSON?")
        ]
    packages = config.get("packages")
    names = [str(each) for each in packages] if isinstance(packages, list) else []
    problems = []
    if not any(re.search(r"(^|/)nextauth[-_]py\b", name) for name in names):
        problems.append(
            error("config", f"{place} has no nextauth-py in its packages", '"packages": ["nextauth-py"]')
        )
    interpreter = config.get("interpreter")
    if isinstance(interpreter, str) and interpreter.startswith("./") and not comes_with_core:
        problems.append(
            error(
                "config",
                f"{place} has a relative interpreter, which only the bundle's own core.js understands",
                "load the bundle's pyscript/core.js; for PyScript from its CDN, `nextauth-py bundle --cdn`",
            )
        )
    if config.get("packages_cache") != "passthrough":
        problems.append(
            warning(
                "config",
                f"{place} lets PyScript keep packages, which does not notice a new nextauth_py",
                '"packages_cache": "passthrough"',
            )
        )
    return problems or [ok("config", f"{place} names nextauth-py")]
