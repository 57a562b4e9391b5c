"""What clicks on a page's buttons and its sign-in form do, where attributes say so."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import create_proxy, jsnull

from ..errors import NextAuthError
from ..host import default_host
from .events import listener
from .page import ACTION, parse_action

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider

# What a visitor reads when a sign-in by form is refused. A page may say it in its own words.
_REFUSED = "That did not work. Check what you have typed, and try again."
_FAILED = "The server cannot be reached. Try again in a moment."


def listen(provider: SessionProvider[Any], root: Any) -> Callable[[], None]:
    """Do what the attributes below an element say. Returns its undo."""
    actions = _Actions(provider, root)
    undo = ExitStack()
    undo.callback(_listen(root, "click", actions.on_click))
    undo.callback(_listen(root, "submit", actions.on_submit))
    return undo.close


class _Actions:
    """What clicks and forms do."""

    def __init__(self, provider: SessionProvider[Any], root: Any) -> None:
        self._provider = provider
        self._root = root

    async def on_click(self, event: Any) -> None:
        element = event.target.closest(ACTION)
        if element is jsnull or element.localName == "form" or event.defaultPrevented:
            return
        event.preventDefault()
        name, provider_id = parse_action(element)
        try:
            if name == "refetch":
                await self._provider.refetch()
            elif name == "sign_out":
                await self._provider.sign_out()
            else:
                await self._provider.sign_in(provider_id)
        except NextAuthError as error:
            default_host().report(f"{name} failed", error)

    async def on_submit(self, event: Any) -> None:
        form = event.target
        if not form.matches(ACTION) or event.defaultPrevented:
            return
        event.preventDefault()
        if form.getAttribute("aria-busy") == "true":
            return
        _, provider_id = parse_action(form)
        fields = {key: value for key, value in js.FormData.new(form).entries() if isinstance(value, str)}
        note = _ErrorNote(form)
        note.hide()
        with _busy(form):
            try:
                result = await self._provider.sign_in(provider_id, redirect=False, **fields)
            except NextAuthError as error:
                default_host().report("the sign-in failed", error)
                note.show(_FAILED)
                return
        if result is None or not result.ok:
            note.show(_REFUSED)
        elif self._provider.state.status == "authenticated" or result.url is None:
            self._welcome(form)
        else:
            self._provider.go(result.url)  # where the way goes on: to a page that says "look into your mail"

    def _welcome(self, form: Any) -> None:
        """Forget the password. If the form has gone from view, take the focus to what has come into it."""
        for field in form.querySelectorAll("input[type=password]"):
            field.value = ""
        if form.checkVisibility():
            return
        for shown in self._root.querySelectorAll("[data-session-show]"):
            if shown.checkVisibility():
                if not shown.hasAttribute("tabindex"):
                    shown.setAttribute("tabindex", "-1")
                shown.focus()
                return


class _ErrorNote:
    """Where a form says that a sign-in was refused."""

    def __init__(self, form: Any) -> None:
        found = form.querySelector("[data-session-error]")
        if found is jsnull:
            found = js.document.createElement("p")
            found.setAttribute("data-session-error", "")
            form.append(found)
        found.setAttribute("role", "alert")
        if found.textContent.strip() and not found.dataset.sessionError:
            found.dataset.sessionError = found.textContent.strip()  # the page's own words
        self._form = form
        self._element = found

    def hide(self) -> None:
        self._element.hidden = True

    def show(self, text: str) -> None:
        self._element.textContent = self._element.dataset.sessionError or text
        self._element.hidden = False
        field = self._form.querySelector("input:not([type=hidden])")
        if field is not jsnull:
            field.focus()


def _busy(form: Any) -> ExitStack:
    """Disable a form's buttons. Its fields stay as they are: password managers look at them."""
    buttons = [each for each in form.querySelectorAll("button, input[type=submit]") if not each.disabled]
    undo = ExitStack()
    form.setAttribute("aria-busy", "true")
    undo.callback(form.removeAttribute, "aria-busy")
    for button in buttons:
        button.disabled = True
        undo.callback(setattr, button, "disabled", False)
    return undo


def _listen(element: Any, event: str, handler: Callable[[Any], object]) -> Callable[[], None]:
    proxy = create_proxy(listener(handler, default_host().report))
    element.addEventListener(event, proxy)

    def undo() -> None:
        element.removeEventListener(event, proxy)
        proxy.destroy()

    return undo
