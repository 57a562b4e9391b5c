"""What clicks on a page's buttons and its sign-in form do, where attributes say so."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import create_proxy, jsnull

from ..errors import NextAuthError
from ..host import default_host
from ..host.dom import own
from .events import listener
from .page import ACTION, SUBMITS, controls, start_tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider

# Of the document's element: the scripts of the page's head hold back submits as long as it is missing.
_BOUND = "data-session-bound"

# What a visitor reads when a sign-in by form is refused. A page may say it in its own words.
_REFUSED = "That did not work. Check what you have typed, and try again."
_FAILED = "The server cannot be reached. Try again in a moment."

# What listens now, so that none of them reports what another one does.
_listening: list[_Actions] = []


def listen(
    provider: SessionProvider[Any], root: Any, page: Any, bound: list[tuple[Any, str]]
) -> Callable[[], None]:
    """Do what elements say on clicks and submits, and tell the scripts of the page's head to leave it to us.

    Args:
        provider: Whose session.
        root: Contains the elements.
        page: The document's element.
        bound: Each element, and its action.

    Returns:
        A function that ends it.
    """
    actions = _Actions(provider, root, bound)
    undo = ExitStack()
    undo.callback(_listen(root, "click", actions.on_click))
    undo.callback(_listen(root, "submit", actions.on_submit))
    undo.callback(_listen(own(page).ownerDocument, "submit", actions.on_other_submit))
    page.setAttribute(_BOUND, "")
    _listening.append(actions)

    def end() -> None:
        _listening.remove(actions)
        if not _listening:
            page.removeAttribute(_BOUND)

    undo.callback(end)
    return undo.close


class _Actions:
    """What clicks and forms do: what their elements said when they were bound, whatever they say now.

    HTML that is inserted later may have been written by anybody, so it does nothing by itself.
    """

    def __init__(self, provider: SessionProvider[Any], root: Any, bound: list[tuple[Any, str]]) -> None:
        self._provider = provider
        self._root = root
        # Neither keeps an element that the page has removed.
        self.bound = js.WeakMap.new()
        self._controls = js.WeakSet.new()  # of the forms, wherever in the root
        for element, action in bound:
            self.bound.set(element, action)
            for control in filter(own(root).contains, controls(element)):
                self._controls.add(control)

    async def on_click(self, event: Any) -> None:
        if event.defaultPrevented:
            return
        element = next(filter(self.bound.has, event.composedPath()), None)
        if element is None:
            unbound = own(event.target).closest(ACTION)
            if own(self._root).contains(unbound):
                self._report_unbound(unbound)
            return
        if own(element).localName == "form":
            return
        event.preventDefault()
        name, _, provider_id = self.bound.get(element).partition(":")
        try:
            if name == "refetch":
                await self._provider.refetch()
            elif name == "sign_out":
                await self._provider.sign_out()
            else:
                await self._provider.sign_in(provider_id or None)
        except NextAuthError as error:
            self._provider.report(f"{name} failed", error)

    async def on_submit(self, event: Any) -> None:
        form = event.target
        if event.defaultPrevented:
            return
        action = self.bound.get(form)
        if action is None:
            return
        event.preventDefault()
        if own(form).getAttribute("aria-busy") == "true":
            return
        note = _ErrorNote(form)
        note.hide()
        with _busy(form):
            try:
                result = await self._provider.sign_in_by_form(action.partition(":")[2], self._fields(form))
            except NextAuthError as error:
                self._provider.report("the sign-in failed", error)
                note.show(_FAILED)
                return
        if result is None or not result.ok:
            note.show(_REFUSED)
        elif self._provider.state.status == "authenticated" or result.url is None:
            self._welcome(form)
        else:
            self._provider.go(result.url)  # where the way goes on: to a page that says "look into your mail"

    def on_other_submit(self, event: Any) -> None:
        """Keep a form from being sent, anywhere on the page: the scripts of its head leave that to us now."""
        if event.defaultPrevented or not own(event.target).matches(ACTION):
            return
        if self._report_unbound(event.target):
            event.preventDefault()

    def _fields(self, form: Any) -> dict[str, str]:
        """What the form's controls say, but for controls elsewhere that have named it since it was bound."""
        with ExitStack() as undo:
            for each in controls(form):
                if each.hasAttribute("form") and not (own(form).contains(each) or self._controls.has(each)):
                    undo.callback(each.setAttribute, "form", each.getAttribute("form"))
                    each.removeAttribute("form")
            return {key: value for key, value in js.FormData.new(form).entries() if isinstance(value, str)}

    def _report_unbound(self, element: Any) -> bool:
        """Report that an element does nothing, unless it is bound after all."""
        if any(each.bound.has(element) for each in _listening):
            return False
        told = f"{start_tag(element)}: it came after bind_page(). Call bind_page() for what the page adds."
        self._provider.report("an element with data-session-action does nothing", LookupError(told))
        return True

    def _welcome(self, form: Any) -> None:
        """Forget the password. If the form has gone from view, take the focus to what has come into it."""
        for field in controls(form):
            if field.matches("[type=password]"):
                field.value = ""
        if own(form).checkVisibility():
            return
        for each in own(self._root).querySelectorAll("[data-session-show]"):
            shown = own(each)
            if shown.checkVisibility():
                if not shown.hasAttribute("tabindex"):
                    shown.setAttribute("tabindex", "-1")
                shown.focus()
                return


class _ErrorNote:
    """Where a form says that a sign-in was refused."""

    def __init__(self, form: Any) -> None:
        self._form = own(form)
        found = self._form.querySelector("[data-session-error]")
        if found is jsnull:
            found = own(self._form.ownerDocument).createElement("p")
            found.setAttribute("data-session-error", "")
            self._form.append(found)
        found.setAttribute("role", "alert")
        if found.textContent.strip() and not found.dataset.sessionError:
            found.dataset.sessionError = found.textContent.strip()  # the page's own words
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
    buttons = [each for each in controls(form) if each.matches(SUBMITS) and not each.disabled]
    undo = ExitStack()
    own(form).setAttribute("aria-busy", "true")
    undo.callback(own(form).removeAttribute, "aria-busy")
    for button in buttons:
        button.disabled = True
        undo.callback(setattr, button, "disabled", False)
    return undo


def _listen(element: Any, event: str, handler: Callable[[Any], object]) -> Callable[[], None]:
    target = own(element)
    proxy = create_proxy(listener(handler, default_host().report))
    target.addEventListener(event, proxy)

    def undo() -> None:
        target.removeEventListener(event, proxy)
        proxy.destroy()

    return undo
