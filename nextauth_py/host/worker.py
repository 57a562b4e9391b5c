"""A worker of a page: it shares the page's origin, cookies and channels, and has no document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import js

from .common import PyodideHost

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from .base import Lifecycle, Prefetched, Undo


class WorkerHost(PyodideHost):
    """The worker that this Python runs in. It counts as visible, because it cannot know."""

    is_page = False

    def store(self, key: str, text: str) -> None:
        """Nothing: workers have no localStorage."""

    def stored(self, key: str) -> str | None:  # noqa: ARG002
        return None

    def keep(self, key: str, text: str) -> bool:  # noqa: ARG002
        """Nothing: workers have no sessionStorage."""
        return False

    def take_kept(self, key: str) -> str | None:  # noqa: ARG002
        return None

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:  # noqa: ARG002 - never called
        return _nothing

    def on_answered(self, heard: Callable[[str, float, float], None]) -> Undo:  # noqa: ARG002
        return _nothing

    def is_visible(self) -> bool:
        return True

    def on_visibility(self, changed: Callable[[], None]) -> Undo:  # noqa: ARG002
        return _nothing

    def on_focus(self, focused: Callable[[], None]) -> Undo:  # noqa: ARG002
        return _nothing

    def on_next_use(self, used: Callable[[], None]) -> Undo:  # noqa: ARG002
        return _nothing

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:  # noqa: ARG002
        return _nothing

    def find_element(self, target: object) -> NoReturn:
        raise LookupError(f"a worker has no page, and so no {target!r}: show it in a script without worker")

    def make_view(self, element: Any) -> NoReturn:
        self.find_element(element)

    def location(self) -> str:
        """The root of the origin: a worker's own address is a ``blob:``, and its page's is not known."""
        return f"{js.self.origin}/"

    def navigate(self, url: str) -> None:  # noqa: ARG002
        raise RuntimeError("a worker cannot leave its page")

    def replace_address(self, url: str) -> None:
        self.navigate(url)

    def reload(self) -> None:
        self.navigate("")

    def open_window(self) -> None:
        """Nothing: workers have no windows."""

    def has_focus(self) -> bool:
        return True

    def popup_page(self) -> None:
        """Nothing: workers have no windows."""

    def passkeys(self) -> NoReturn:
        raise RuntimeError("a worker has no page for the browser's dialog")

    def find_prefetched(self, path: str) -> Prefetched | None:  # noqa: ARG002
        return None

    def take_embedded_session(self) -> str | None:
        return None


def _nothing() -> None:
    pass
