"""The base paths that a page's HTML and Python name, compared with the one at which the site answers.

Python is parsed, never run: only literal arguments are judged.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings
from dataclasses import dataclass, replace
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from ..core.urls import DEFAULT_BASE_PATH, origin_of, resolve_auth_url
from .answers import shown
from .findings import Finding, error, listed, note, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Answer
    from .page import Page

_PACKAGE = "nextauth_py"
_PROVIDERS = {f"{_PACKAGE}.SessionProvider", f"{_PACKAGE}.provider.SessionProvider"}
_BLOCKING = f"{_PACKAGE}.blocking."

_ARGUMENTS = ("base_url", "base_path")

# From these a page takes its base path if no argument names one.
_VARIABLES = {"NEXTAUTH_URL", "AUTH_URL", "VERCEL_URL"}

# Whose auth routes are usually not at the default path.
_USUAL_ELSEWHERE = {"/auth": ", as those of other Auth.js frameworks than Next.js"}


@dataclass(frozen=True)
class Call:
    """A call in a page's Python that decides where the page asks for the session.

    Attributes:
        name: ``SessionProvider``, or a function of `nextauth_py.blocking`.
        place: The file and the line.
        base_path: Where it asks on the page's origin; None if the text does not tell.
        problem: Why the client raises instead.
    """

    name: str
    place: str
    base_path: str | None = None
    problem: str = ""


# --- what the Python says ---


def calls_of(page: Page, files: Mapping[str, Answer]) -> list[Call]:
    """Find the calls in a page's Python.

    Args:
        page: The page, which may hold Python itself.
        files: The answers of its Python files, by URL.
    """
    site = origin_of(page.url)
    sources = [(shown(url, site), each.text) for url, each in files.items() if _is_python(each)]
    inline = [("the page's own Python", dedent(each.text)) for each in page.python if not each.get("src")]
    trees = [(name, tree) for name, text in [*sources, *inline] if (tree := _parsed(text))]
    has_variables = any(_names_variable(tree) for _, tree in trees)
    return [
        call for name, tree in trees for call in _calls(tree, name, page.url, has_variables=has_variables)
    ]


def _is_python(answer: Answer) -> bool:
    return answer.ok and answer.is_whole and not answer.is_html


def _parsed(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the page's strings
        try:
            return ast.parse(source if sys.version_info >= (3, 14) else _without_templates(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
            return None


def _without_templates(source: str) -> str:
    """The source with t-strings, which only Python 3.14 parses, as plain strings in the same places."""
    lines = source.split("\n")
    for prefix, text in pairwise(tokenize.generate_tokens(io.StringIO(source).readline)):
        is_template = prefix.string.lower() in {"t", "rt", "tr"} and prefix.end == text.start
        if is_template and text.type == tokenize.STRING:
            row, start, end = prefix.start[0] - 1, prefix.start[1], prefix.end[1]
            kept = prefix.string.lower().replace("t", "").rjust(end - start)
            lines[row] = lines[row][:start] + kept + lines[row][end:]
    return "\n".join(lines)


def _names_variable(tree: ast.Module) -> bool:
    return any(isinstance(each, ast.Constant) and each.value in _VARIABLES for each in ast.walk(tree))


def _calls(tree: ast.Module, file: str, page: str, *, has_variables: bool) -> Iterator[Call]:
    imported = _imported(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _full_name(node.func, imported)
        given = {each.arg: each.value for each in node.keywords}
        named = {key: value for key, value in given.items() if key in _ARGUMENTS}
        literals = {key: each.value for key, each in named.items() if isinstance(each, ast.Constant)}
        is_read = None not in given and len(literals) == len(named) and bool(named or not has_variables)
        # The functions for workers ask where the provider does, unless they are told otherwise.
        if name in _PROVIDERS or (name.startswith(_BLOCKING) and named):
            call = Call(name.rpartition(".")[2], f"{file}, line {node.lineno}")
            yield _resolved(call, literals, page) if is_read else call


def _resolved(call: Call, literals: Mapping[str, Any], page: str) -> Call:
    """The call with the base path that the client takes from these arguments."""
    base_url, base_path = map(literals.get, _ARGUMENTS)
    try:
        found = resolve_auth_url(base_url, base_path, {}, in_browser=True, page=page)
    except (TypeError, ValueError) as problem:
        return replace(call, problem=str(problem))
    return call if found.origin else replace(call, base_path=found.path)


def _imported(tree: ast.Module) -> dict[str, str]:
    """The full names of what a file imports from this package, by the names that it uses."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.name if each.asname else each.name.partition(".")[0]
                found[each.asname or name] = name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                name = "SessionProvider" if (node.module, each.name) == (_PACKAGE, "*") else each.name
                found[each.asname or name] = f"{node.module}.{name}"
    return found


def _full_name(node: ast.expr, imported: Mapping[str, str]) -> str:
    """``nextauth_py.SessionProvider`` for a name or attribute that means it; empty if it is not imported."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    name = imported.get(node.id, "") if isinstance(node, ast.Name) else ""
    return ".".join([name, *reversed(attributes)]) if name else ""


# --- compared with where the routes are ---


def check_base_path(page: Page, calls: list[Call], base_path: str) -> list[Finding]:
    """Compare what a page and its Python name with where the auth routes are.

    Args:
        page: The page.
        calls: The calls in its Python.
        base_path: The base path at which the site answers.
    """
    findings = [*_prefetch(page, base_path), *_python(calls, base_path)]
    if not calls and base_path != DEFAULT_BASE_PATH:
        seen = f"the auth routes are at {base_path}{_USUAL_ELSEWHERE.get(base_path, '')}"
        fix = f'SessionProvider(base_path="{base_path}"), and data-base-path="{base_path}" at '
        findings.append(note("session", seen, f"{fix}session-prefetch.js"))
    return findings


def _prefetch(page: Page, base_path: str) -> Iterator[Finding]:
    declared = page.declared_base_path
    if declared == base_path:
        yield ok("prefetch", f"session-prefetch.js asks {declared}/session")
    elif declared is not None:
        yield error(
            "prefetch",
            f"session-prefetch.js asks {declared}/session, the auth routes are at {base_path}",
            f'data-base-path="{base_path}" at its <script>',
        )


def _python(calls: list[Call], base_path: str) -> Iterator[Finding]:
    for call in calls:
        fix = f'{call.name}(base_path="{base_path}")'
        if call.problem:
            yield error("python", f"{call.place}: {call.problem}", fix)
        elif call.base_path not in {None, base_path}:
            asked = call.base_path or "/"
            seen = f"{call.place}: {call.name} asks at {asked}, the auth routes are at {base_path}"
            yield error("python", seen, fix)
    if right := [each.place for each in calls if each.base_path == base_path]:
        yield ok("python", f"{listed(right)}: asks at {base_path}")
    if unread := [each.place for each in calls if each.base_path is None and not each.problem]:
        yield note("python", f"{listed(unread)}: no literal base path here, so it was not compared")
