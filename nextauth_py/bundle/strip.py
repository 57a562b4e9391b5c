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
    """The module without comments and docstrings, but for the first line of those of classes.

    Python itself would make up what a dataclass does not have, and take its time for it.
    """
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
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        match node.body:
            case [ast.Expr(ast.Constant(str(text)) as found), *others]:
                kept = "" if others or isinstance(node, ast.Module) else "..."
                if isinstance(node, ast.ClassDef):
                    summary = text.partition("\n")[0]
                    kept = f'"""{summary}"""'
                yield found.lineno, found.col_offset, found.end_lineno or found.lineno, kept
