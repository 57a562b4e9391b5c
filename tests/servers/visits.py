"""One question, asked in async and in blocking code."""

from __future__ import annotations

import asyncio
from typing import Any

from nextauth_py.server import BlockingVisitor, Visitor


class Both:
    """A visitor, asked in async or in blocking code."""

    def __init__(self, kind: str, request: object, **options: Any) -> None:
        self.is_async = kind == "async"
        self.visitor: Any = (
            Visitor(request, **options) if self.is_async else BlockingVisitor(request, **options)
        )

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.visitor, name)
        if not (self.is_async and name.startswith(("get_", "session_"))):
            return found
        return lambda: asyncio.run(found())
