"""Takes out of a module what only its readers need. Every statement stays on its line, for tracebacks."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Part = tuple[int, int, int, str]  # first line, column, last line; what goes there


def stripped(source: str) -> str:
    """The module without comments, and with the first line of each docstring only."""
    lines = source.splitlines(keepends=True)
    for first, column, last, kept in sorted([*_comments(source), *_docstrings(source)], reverse=True):
        lines[first - 1 : last] = [
            f"{lines[first - 1][:column]}{kept}".rstrip() + "\n",
            *["\n"] * (last - first),
        ]
    return "".join(lines)


def _comments(source: str) -> Iterator[Part]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield *token.start, token.end[0], ""


def _docstrings(source: str) -> Iterator[Part]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Module(body=[ast.Expr(ast.Constant(str(text)) as found), *_])
                | ast.ClassDef(body=[ast.Expr(ast.Constant(str(text)) as found), *_])
                | ast.FunctionDef(body=[ast.Expr(ast.Constant(str(text)) as found), *_])
                | ast.AsyncFunctionDef(body=[ast.Expr(ast.Constant(str(text)) as found), *_])
            ) if found.end_lineno and found.end_lineno > found.lineno:
                summary = text.partition("\n")[0]
                yield found.lineno, found.col_offset, found.end_lineno, f'"""{summary}"""'
