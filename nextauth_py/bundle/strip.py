"""Takes out of a module what only its readers need. Every statement stays on its line, for tracebacks."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[int, int]  # line and column, in bytes
Cut = tuple[Place, Place, bytes]  # from, to, and what goes there


def stripped(source: str, *, of_classes: bool = False) -> str:
    """The module without comments, what only type checkers read, and docstrings.

    The first line of a class's stays: Python itself would make one up for a dataclass, and take its time.

    Args:
        source: The module.
        of_classes: Whether those of other classes go entirely.
    """
    lines = source.encode().splitlines(keepends=True)
    # From the end: what lies in another cut is cut out first, and leaves the start of the other where it was.
    for cut in sorted([*_comments(source), *_unread(source, of_classes)], reverse=True):
        _cut(lines, *cut)
    return b"".join(lines).decode()


def _cut(lines: list[bytes], start: Place, end: Place, kept: bytes) -> None:
    (first, column), (last, after) = start, end
    line = lines[first - 1][:column] + kept + lines[last - 1][after:]
    lines[first - 1 : last] = [line.rstrip() + b"\n", *[b"\n"] * (last - first)]


def _comments(source: str) -> Iterator[Cut]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            start = len(token.line[:column].encode())
            yield (line, start), (line, start + len(token.string.encode())), b""


def _unread(source: str, of_classes: bool) -> Iterator[Cut]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.If(ast.Name("TYPE_CHECKING"), _, []):
                yield *_span(node), b""
            case ast.arg(name, ast.expr() as annotation):
                yield (node.lineno, node.col_offset + len(name.encode())), _span(annotation)[1], b""
            case ast.AnnAssign(ast.Attribute() as target, annotation):
                yield _span(target)[1], _span(annotation)[1], b""
            case ast.Module():
                yield from _docstring(node)
            case ast.ClassDef():
                yield from _docstring(node, keep_line=not of_classes or _is_dataclass(node))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _docstring(node)
                if node.returns:
                    yield _arrow(source, node.returns), _span(node.returns)[1], b""


def _arrow(source: str, returns: ast.expr) -> Place:
    """Where the `` ->`` in front of what a function returns begins."""
    before = source.splitlines()[returns.lineno - 1].encode()[: returns.col_offset]
    return returns.lineno, len(before.rstrip().removesuffix(b"->").rstrip())


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(each) for each in node.decorator_list)


def _docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, *, keep_line: bool = False
) -> Iterator[Cut]:
    match node.body:
        case [ast.Expr(ast.Constant(str(text))) as found, *others]:
            kept = "" if others or isinstance(node, ast.Module) else "..."
            if keep_line:
                kept = f'"""{text.partition(chr(10))[0]}"""'
            yield *_span(found), kept.encode()


def _span(node: ast.stmt | ast.expr) -> tuple[Place, Place]:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset), end
