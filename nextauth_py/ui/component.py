"""Components: functions that say what an element shows, called again whenever a session they read changes."""

from __future__ import annotations

import asyncio
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from ..hooks import reading
from ..host import default_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider
    from .lit import View


def component(target: object = None) -> Callable[[Callable[[], object]], Component]:
    """Make a function a component, and mount it at once if a target is given.

    The function returns what the element shows: a t-string, text (shown as text, never as HTML), a DOM node,
    a `pyscript.web` element, None, or a list of these.

    Args:
        target: A CSS selector, a DOM element or a `pyscript.web` element.

    Raises:
        LookupError: Nothing on the page matches the selector.

    Example:
        ```python
        @component("#account")
        def account():
            session = use_session()
            if session.status != "authenticated":
                return t'<button @click={sign_in}>Sign in</button>'
            return t"<p>Signed in as <b>{session.data.user.name}</b></p>"
        ```
    """

    def decorate(function: Callable[[], object]) -> Component:
        made = Component(function)
        return made if target is None else made.mount(target)

    return decorate


class Component:
    """A function that can be mounted on an element. Calling it gives its content, to use in another."""

    def __init__(self, function: Callable[[], object]) -> None:
        if not callable(function):
            raise TypeError(
                f'component takes a function, not {function!r}. Write @component("#id") above one.'
            )
        self._function = function
        self._view: View | None = None
        self._following: dict[SessionProvider[Any], Callable[[], None]] = {}
        self._requiring: set[SessionProvider[Any]] = set()
        self._is_due = False
        update_wrapper(self, function)

    def __call__(self) -> object:
        """What it shows, as it is now."""
        return self._function()

    def mount(self, target: object) -> Component:
        """Show it in an element, in place of what is there.

        Raises:
            LookupError: Nothing on the page matches the selector.
        """
        from .lit import View  # noqa: PLC0415 - only a browser can import it

        view = View(target)
        self.unmount()
        self._view = view
        self.update()
        return self

    def unmount(self) -> None:
        """Empty the element and stop following sessions. It can be mounted again."""
        for stop in self._following.values():
            stop()
        self._following.clear()
        for provider in self._requiring:
            provider.release(self)
        self._requiring.clear()
        if self._view is not None:
            self._view.clear()
            self._view = None

    def update(self) -> None:
        """Render now. An error is reported in the console; the element keeps what it showed."""
        self._is_due = False
        if self._view is None:
            return
        required, self._requiring = self._requiring, set()
        try:
            with reading(self):
                self._view.render(self._function())
        except Exception as error:
            default_host().report(f"the component {self._function.__name__!r} failed", error)
        for provider in required - self._requiring:
            provider.release(self)

    def reads(self, provider: SessionProvider[Any]) -> None:
        """Follow a provider whose session it shows."""
        if provider not in self._following:
            self._following[provider] = provider.subscribe(lambda _state: self._changed(provider))

    def requires(
        self, provider: SessionProvider[Any], on_unauthenticated: Callable[[], object] | None
    ) -> None:
        """Need a provider's session."""
        self._requiring.add(provider)
        provider.require(on_unauthenticated, who=self)

    def _changed(self, provider: SessionProvider[Any]) -> None:
        if provider.is_confirmed:
            self._update_soon()
        else:
            self.update()  # the page is being left: there is no later

    def _update_soon(self) -> None:
        """Several changes in one turn of the loop render once."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.update)
