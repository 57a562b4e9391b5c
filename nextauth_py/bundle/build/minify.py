"""Shorten modules for pages, which download them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDENT = 4  # blanks of a level, in our sources

Place = tuple[int, int]  # line and column, in bytes
Cut = tuple[Place, Place, bytes]  # from, to, and what goes there


def stripped(source: str) -> str:
    """Return the module without comments, docstrings, deep indentation, and what only type checkers read.

    Every statement stays on its line, for tracebacks. Of a dataclass's docstring something stays: else Python
    makes one up at each start, and takes its time.
    """
    return _dedented(_without_unused_names(_without(source, [*_comments(source), *_unread(source)])))


def minified(source: str) -> str:
    """Return the stripped module on fewer lines, with short names for what only it uses."""
    import python_minifier  # noqa: PLC0415 - of the extra "bundle"; servers do without

    short = stripped(source)
    return python_minifier.minify(
        short,
        remove_literal_statements=False,  # those that dataclasses want
        hoist_literals=False,  # they compress better as they are
        rename_globals=True,
        preserve_globals=re.findall(r"\b(?:[^\W\d_]|__)\w*", short),
    )


def _without(source: str, cuts: Iterable[Cut]) -> str:
    lines = source.encode().splitlines(keepends=True)
    # From the end: what lies in another cut is cut out first, and leaves the start of the other where it was.
    for cut in sorted(cuts, reverse=True):
        _cut(lines, *cut)
    return b"".join(lines).decode()


def _dedented(source: str) -> str:
    """Indent by one blank for each level."""
    lines = source.splitlines(keepends=True)
    in_texts = _lines_in_texts(source)
    for number, line in enumerate(lines, 1):
        if number not in in_texts:
            code = line.lstrip(" ")
            lines[number - 1] = " " * ((len(line) - len(code)) // INDENT) + code
    return "".join(lines)


def _lines_in_texts(source: str) -> set[int]:
    """Return the lines that begin inside a string literal, where each blank counts."""
    tokens = (token for token in _tokens(source) if token.type not in _LAYOUT)
    return {line for token in tokens for line in range(token.start[0] + 1, token.end[0] + 1)}


_LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _without_unused_names(source: str) -> str:
    """Remove imports that only annotations used."""
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    cuts = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in {"typing", "collections.abc"}:
            node.names = [each for each in node.names if (each.asname or each.name) in used]
            cuts.append((*_span(node), ast.unparse(node).encode() if node.names else b""))
    return _without(source, cuts)


def _cut(lines: list[bytes], start: Place, end: Place, kept: bytes) -> None:
    (first, column), (last, after) = start, end
    line, rest = lines[first - 1][:column] + kept, lines[last - 1][after:]
    # What follows may be a text that goes on, blanks and all.
    line = line + rest if rest.strip() else line.rstrip() + b"\n"
    lines[first - 1 : last] = [line, *[b"\n"] * (last - first)]


def _comments(source: str) -> Iterator[Cut]:
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            start = len(token.line[:column].encode())
            yield (line, start), (line, start + len(token.string.encode())), b""


def _unread(source: str) -> Iterator[Cut]:
    tree = ast.parse(source)
    if not _is_read_by_pydantic(tree):
        yield from _annotations(tree)
    for node in ast.walk(tree):
        match node:
            case ast.If(ast.Name("TYPE_CHECKING"), _, []):
                yield *_span(node), b""
            case ast.ClassDef(bases=[ast.Name("Protocol"), *_]):
                yield *_span(node), b""
            case ast.FunctionDef(decorator_list=[ast.Name("overload") as first, *_]):
                yield (first.lineno, first.col_offset - 1), _span(node)[1], b""
            case ast.arg(name, ast.expr() as annotation):
                yield (node.lineno, node.col_offset + len(name.encode())), _span(annotation)[1], b""
            case ast.AnnAssign(ast.Attribute() as target, annotation):
                yield _span(target)[1], _span(annotation)[1], b""
            case ast.Module() | ast.ClassDef():
                yield from _docstring(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _docstring(node)
                if node.returns:
                    yield _arrow(source, node.returns), _span(node.returns)[1], b""


def _is_read_by_pydantic(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "pydantic" for node in tree.body)


def _annotations(tree: ast.Module) -> Iterator[Cut]:
    """Yield the annotations of fields and variables. Dataclasses and named tuples need one; any will do."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom("__future__"):
                yield *_span(node), b""
            case ast.AnnAssign(ast.Name(), annotation):
                yield *_span(annotation), b"int"


def _arrow(source: str, returns: ast.expr) -> Place:
    """Return the position of the `` ->`` before a return annotation."""
    before = source.splitlines()[returns.lineno - 1].encode()[: returns.col_offset]
    return returns.lineno, len(before.rstrip().removesuffix(b"->").rstrip())


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Cut]:
    match node.body:
        case [ast.Expr(ast.Constant(str())) as found, *others]:
            kept = "" if others or isinstance(node, ast.Module) else "..."
            if isinstance(node, ast.ClassDef) and node.decorator_list:
                kept = '"-"'
            yield *_span(found), kept.encode()


def _span(node: ast.stmt | ast.expr) -> tuple[Place, Place]:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset), end
