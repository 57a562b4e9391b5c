"""Components: functions that say what an element shows, called again whenever what they read changes."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, overload
from weakref import WeakSet

from ..access import checked_auth
from ..client import registry
from ..client.listeners import ignores_events
from ..content.parts import Part
from ..host import default_host
from ..provider import current_provider
from .hooks import current_reader, reading, use_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..access import Auth
    from ..adapters.reaktiv import FollowedSignals
    from ..host.base import View
    from ..provider import SessionProvider

# What visitors see in the place of a component that raised. The error's text may hold a session's values.
_FAILED = "This part of the page could not be shown."

# Those with an element of the page.
_mounted: WeakSet[Component] = WeakSet()

# With ``debug=True`` the error itself is shown, up to this many characters.
_SHOWN = 200


@overload
def component(  # type: ignore[overload-overlap]  # an object may be a function: it is no target
    target: Callable[[], object], /
) -> Component: ...


@overload
def component(
    target: object = None, *, auth: bool | Auth = False
) -> Callable[[Callable[[], object]], Component]: ...


def component(
    target: object = None, *, auth: bool | Auth = False
) -> Component | Callable[[Callable[[], object]], Component]:
    """Make a function a component, and mount it at once if a target is given.

    The function returns what the element shows: a t-string, text (shown as text, never as HTML), a DOM node,
    a `pyscript.web` element, None, or a list of these. If it raises, the console has the traceback, and its
    element says only that something is missing, or what was raised if the provider has ``debug=True``. It is
    called again whenever a session, or a signal of reaktiv, that it has read changes.

    Args:
        target: A CSS selector, a DOM element or a `pyscript.web` element. None, and a bare ``@component``,
            mount it nowhere yet.
        auth: Whether it needs a session, or an `Auth` that says who may see it. Before the server has
            confirmed the session, nothing of it is on the page.

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
    wanted = checked_auth(auth)

    def decorate(function: Callable[[], object]) -> Component:
        made = Component(function, wanted)
        return made if target is None else made.mount(target)

    if callable(target):  # as no element is
        return Component(target, wanted)
    return decorate


class Component(Part):
    """A function that can be mounted on an element. Calling it gives its content, to use in another."""

    def __init__(self, function: Callable[[], object], auth: Auth | None = None) -> None:
        if not callable(function):
            raise TypeError(
                f'component takes a function, not {function!r}. Write @component("#id") above one.'
            )
        self._function = function
        self._name = getattr(function, "__name__", repr(function))
        self._auth = auth
        self._view: View | None = None
        self._element: Any = None  # of the page, in which the view shows it
        self._has_left: Callable[[], bool] = lambda: False
        self._following: dict[SessionProvider[Any], Callable[[], None]] = {}
        self._requiring: set[SessionProvider[Any]] = set()
        self._signals: FollowedSignals | None = None  # of pages that use reaktiv
        self._shown_in: WeakSet[Component] = WeakSet()
        self._refused: object = None  # the session that was not enough, so that the page leaves once for it
        self._is_due = False
        update_wrapper(self, function)

    def __call__(self) -> object:
        """Return its current content."""
        outer = current_reader()
        if isinstance(outer, Component) and outer is not self:
            self._shown_in.add(outer)
        return self._function() if self._auth is None else self._guarded(self._auth)

    def mount(self, target: object) -> Component:
        """Show it in an element, in place of what is there. Components that are mounted there are unmounted.

        Raises:
            LookupError: Nothing on the page matches the selector.
        """
        from ..host.dom import leaving, own  # noqa: PLC0415 - not every page needs it

        host = default_host()
        element = host.find_element(target)
        self.unmount()
        for each in list(_mounted):
            if own(element).contains(each._element) or each._has_left():  # noqa: SLF001
                each.unmount()
        self._view, self._element = host.make_view(element), element
        self._has_left = leaving(element)
        _mounted.add(self)
        self.update()
        return self

    @ignores_events
    def unmount(self) -> None:
        """Empty the element and stop following sessions and signals. It can be mounted again."""
        self._ignore_signals()
        for stop in self._following.values():
            stop()
        self._following.clear()
        for provider in self._requiring:
            provider.engine.release(self)
        self._requiring.clear()
        _mounted.discard(self)
        view, self._view, self._element = self._view, None, None
        if view is not None:
            try:
                view.clear()
            except Exception as error:  # other code has removed what it shows
                self._report(error)

    @ignores_events
    def update(self) -> None:
        """Render now; the components that it is shown in, if it has no element of its own."""
        self._is_due = False
        if self._view is not None:
            self._draw(self._view)
        for outer in list(self._shown_in):
            outer.update()

    def _draw(self, view: View) -> None:
        """Render, and follow the signals that are read meanwhile."""
        if "reaktiv" not in sys.modules:  # then it can read none
            self._render(view)
            return
        from ..adapters.reaktiv import FollowedSignals  # noqa: PLC0415 - only pages that use reaktiv need it

        signals = self._signals = self._signals or FollowedSignals(self._update_if_shown, self._report)
        signals.draw(lambda: self._render(view))
        if signals is not self._signals:  # it has unmounted itself
            signals.stop()

    def _ignore_signals(self) -> None:
        if self._signals is not None:
            self._signals.stop()
            self._signals = None

    def _render(self, view: View) -> None:
        required, self._requiring = self._requiring, set()
        try:
            with reading(self):
                view.render(self())
        except Exception as error:
            self._report(error)
            try:
                view.render(self._apology(error))
            except Exception as another:  # the element is broken; the caller would paint it over the page
                self._report(another)
        for provider in required - self._requiring:
            provider.engine.release(self)

    def _report(self, error: Exception) -> None:
        default_host().report(f"the component {self._name!r} failed", error)

    def _apology(self, error: Exception) -> str:
        """Return the text to show in place of the content."""
        if all(each is not None and each.debug for each in self._following or [current_provider()]):
            return f"{self._name} failed: {type(error).__name__}: {error}"[:_SHOWN]
        return _FAILED

    def _guarded(self, auth: Auth) -> object:
        session = use_session(required=True)
        if session.data is None:
            self._refused = None  # also while the page is left, which then behaves as a new one
            return _content(auth.loading)
        if auth.admits(session.data):
            return self._function()
        if session.data is not self._refused:
            self._refused = session.data
            session.refuse(auth.unauthorized)
        return _content(auth.loading)

    def reads(self, provider: SessionProvider[Any]) -> None:
        """Follow a provider whose session it shows."""
        if provider not in self._following:
            undo = ExitStack()
            undo.callback(provider.subscribe(lambda _state: self._changed(provider)))
            undo.callback(provider.engine.at_close(lambda: self._closed(provider)))
            self._following[provider] = undo.close

    def requires(
        self, provider: SessionProvider[Any], on_unauthenticated: Callable[[], object] | None
    ) -> None:
        """Need a provider's session."""
        self._requiring.add(provider)
        provider.engine.require(on_unauthenticated, who=self)

    def _changed(self, provider: SessionProvider[Any]) -> None:
        if self._has_left():
            self.unmount()
        elif provider.engine.is_confirmed:
            self._update_soon()
        else:
            self.update()  # the page is being left: there is no later

    def _closed(self, provider: SessionProvider[Any]) -> None:
        """Follow the provider that is started in its place, now or later."""
        self._following.pop(provider, None)
        self._requiring.discard(provider)
        self._ignore_signals()
        registry.when_started(provider.host, self._update_if_shown)

    def _update_if_shown(self) -> None:
        """Render soon, unless the element has left the page."""
        if self._has_left():
            self.unmount()
        else:
            self._update_soon()

    def _update_soon(self) -> None:
        """Several changes in one turn of the loop render once."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.update)


def _content(content: object) -> object:
    return content() if callable(content) else content
