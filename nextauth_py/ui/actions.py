"""Buttons and forms with `data-session-action`."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import create_proxy, jsnull

from ..core.urls import callback_of, destination, is_same_place, join, origin_of, query_of, without_verdict
from ..errors import ClientFetchError, CsrfError, SignOutIncomplete
from ..host import default_host
from ..host.dom import own
from ..host.handlers import listener
from .attributes import ACTION, SUBMITS, controls, popup_of, start_tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.wire import SignInResult
    from ..provider import SessionProvider

# Of the document's element: the scripts of the page's head hold back submits as long as it is missing.
_BOUND = "data-session-bound"

# What a visitor reads when something does not work. A page may say it in its own words.
_REFUSED = "That did not work. Check what you have typed, and try again."
_FAILED = "That did not work. Load the page again, and try once more."
_ADVICE: dict[type[BaseException], str] = {
    ClientFetchError: "The server cannot be reached. Try again in a moment.",
    CsrfError: "That did not work. Allow cookies for this site, load the page again, and try once more.",
    SignOutIncomplete: "You are still signed in. Close the other pages of this site, and try again.",
}

# Where a server leads back to the site's sign-in page, for its codes: https://authjs.dev/reference/core/errors
_CODES = re.compile(
    "(OAuth|Email|WebAuthn).*|.*Signin|.*Linked|Callback|Default|Configuration|AccessDenied|Verification"
)
_RETURNED = "That did not work. Try again, or sign in another way."
_REASONS = {
    "AccessDenied": "You may not sign in with that account.",
    "OAuthAccountNotLinked": "Sign in the way you did the first time.",
    "Verification": "That link is no longer valid. Ask for a new one.",
}

# By what only the browser knows. Visitors who have cancelled know that.
_OF_BROWSER = {
    "PasskeyCancelled": "",
    "PasskeyExists": "This device has a passkey for your account already.",
    "PasskeyOrigin": "Passkeys do not work at this address. Sign in another way.",
    "PasskeyUnsupported": "This browser has no passkeys for this site. Sign in another way.",
    "PopupBlocked": "Your browser has blocked the window. Try again, or allow windows for this site.",
    "PopupClosed": "",
}

# Browsers send each as these two.
_LINE_END = re.compile("\r\n?|\n")

# What listens now, so that none of them reports what another one does.
_listening: list[_Actions] = []


def listen(
    provider: SessionProvider[Any], root: Any, page: Any, bound: list[tuple[Any, str]], notes: list[Any]
) -> Callable[[], None]:
    """Handle clicks and submits, mark the page as bound for the scripts of its head, and take what they kept.

    Args:
        provider: Whose session.
        root: Contains the elements.
        page: The document's element.
        bound: Each element, and its action.
        notes: The places for what has failed.

    Returns:
        A function that ends it.
    """
    actions = _Actions(provider, root, bound, notes)
    undo = ExitStack()
    undo.callback(_listen(root, "click", actions.on_click))
    undo.callback(_listen(root, "submit", actions.on_submit))
    undo.callback(_listen(own(page).ownerDocument, "submit", actions.on_other_submit))
    undo.callback(provider.on("signed_in", actions.hide_notes))
    undo.callback(provider.on("signed_out", actions.hide_notes))
    page.setAttribute(_BOUND, "")
    _listening.append(actions)
    ways = [element for element, action in bound if action.startswith("sign_in:")]
    words = _words_for_return(provider.host.location())
    if ways and words:
        provider.engine.background.spawn(actions.show_return(ways[0], words))

    def end() -> None:
        _listening.remove(actions)
        if not _listening:
            page.removeAttribute(_BOUND)

    undo.callback(end)
    # Of session-boot.js. An <a id="nextauthClick"> is a member of the window too, but not its own.
    if js.Object.hasOwn(js.window, "nextauthClick"):
        js.nextauthClick(actions.bound)
    return undo.close


class _Actions:
    """Run the actions that elements had when they were bound; later changes of attributes do not count.

    HTML that is inserted later may have been written by anybody, so it does nothing by itself.
    """

    def __init__(
        self, provider: SessionProvider[Any], root: Any, bound: list[tuple[Any, str]], notes: list[Any]
    ) -> None:
        self._provider = provider
        self._root = root
        self.notes = notes
        # Neither keeps an element that the page has removed.
        self.bound = js.WeakMap.new()
        self._popups = js.WeakMap.new()
        self.controls = js.WeakSet.new()  # of the forms, wherever in the root
        for element, action in bound:
            self.bound.set(element, action)
            self._popups.set(element, popup_of(element))
            for control in filter(own(root).contains, controls(element)):
                self.controls.add(control)

    def hide_notes(self, _event: object) -> None:
        """Hide what failed earlier: it no longer matters."""
        for each in self.notes:
            _ErrorNote(each).hide()

    async def show_return(self, element: Any, words: str) -> None:
        """Tell a visitor who has come back from a sign-in that failed, unless somebody is signed in."""
        await self._provider.engine.settled()
        if self in _listening and self._provider.state.data is None:
            (self._note_for(element) or self._new_note(element)).show(words)

    async def on_click(self, event: Any) -> None:
        if event.defaultPrevented:
            return
        element = next(filter(self.bound.has, event.composedPath()), None)
        if element is None:
            unbound = own(event.target).closest(ACTION)
            if own(self._root).contains(unbound):
                self._report_unbound(unbound)
            return
        if own(element).localName == "form" or _opens_elsewhere(element, event):
            return
        event.preventDefault()
        if element.getAttribute("aria-busy") == "true":
            return
        name, _, provider_id = self.bound.get(element).partition(":")
        note = self._note_for(element)
        if note:
            note.hide()
        with _busy(element):
            words = await self._act(name, provider_id, popup=self._popups.get(element))
        if words:
            (note or self._new_note(element)).show(words)

    async def _act(self, name: str, provider_id: str, *, popup: bool | str) -> str | None:
        """Run an element's action. Returns what to say if it failed."""
        try:
            if name == "refetch":
                error = (await self._provider.refetch()).error
                return _advice(error) if error else None
            if name == "sign_out":
                await self._provider.sign_out()
                return None
            asked = callback_of({}, self._provider.host.location())
            result = await self._provider.sign_in(provider_id or None, callback_url=asked, popup=popup)
            if result and result.ok and result.url and asked:
                self._provider.engine.go(result.url)
            return _words_for(result, _RETURNED) if result and not result.ok else None
        except Exception as error:
            self._provider.engine.report(f"{name} failed", error)
            return _advice(error)

    async def on_submit(self, event: Any) -> None:
        form = event.target
        if event.defaultPrevented:
            return
        action = self.bound.get(form)
        submitter = self._known(form, getattr(event, "submitter", jsnull))
        if action is None:
            return
        if self._goes_elsewhere(submitter):
            event.stopPropagation()  # session-paint.js would hold it back
            return
        event.preventDefault()
        if own(form).getAttribute("aria-busy") == "true":
            return
        note = self._note_in(form)
        note.hide()
        fields = self._fields(form, submitter)  # before its buttons are disabled
        with _busy(form):
            try:
                words = await self._sign_in(form, action.partition(":")[2], fields)
            except Exception as error:
                self._provider.engine.report("the sign-in failed", error)
                words = _advice(error)
        if words:
            note.show(words)

    async def _sign_in(self, form: Any, provider_id: str, fields: dict[str, Any]) -> str | None:
        """Sign in, and go on where the server says. Returns what to say if the sign-in was refused."""
        engine, popup = self._provider.engine, self._popups.get(form)
        result = await engine.sign_in_by_form(
            provider_id,
            fields,
            in_popup=bool(popup),
            can_leave=popup == "or-redirect",
            authorization_params=self._authorization_params(form, provider_id),
        )
        if result is None:
            return None  # the page is being left, or the provider was closed meanwhile
        if result.url is None:
            return _words_for(result, _RETURNED if popup else _REFUSED)
        page = self._provider.host.location()
        here = without_verdict(page)
        asked = join(page, callback_of(fields, page) or here)
        target = destination(result.url, asked, page)
        is_asked = target == asked and origin_of(target) == origin_of(page)
        is_here = is_asked and is_same_place(without_verdict(target), here)
        if is_here:
            self._welcome(form)
        if not is_here or target.partition("#")[2] != here.partition("#")[2]:
            # Where the way goes on: also to a page that says "look into your mail".
            engine.go(target)
        return None

    def _authorization_params(self, form: Any, provider_id: str) -> str:
        """Return the query of a form's action, if the action is the server's sign-in route."""
        action, _, query = own(form).action.partition("#")[0].partition("?")
        route = self._provider.engine.auth.endpoint("signin", provider_id)
        return query if action == join(self._provider.host.location(), route) else ""

    def on_other_submit(self, event: Any) -> None:
        """Prevent the submit of an unbound form anywhere on the page: its head's scripts no longer do."""
        if event.defaultPrevented or not own(event.target).matches(ACTION):
            return
        if self._report_unbound(event.target):
            event.preventDefault()

    def _known(self, form: Any, control: Any) -> Any:
        """Return a form's control; null for one elsewhere that was not there when the form was bound."""
        is_known = control is not jsnull and (own(form).contains(control) or _has(control))
        return control if is_known else jsnull

    def _fields(self, form: Any, submitter: Any) -> dict[str, Any]:
        """Return the form's fields as a browser would send them; several of one name as a list."""
        fields: dict[str, Any] = {}
        with ExitStack() as undo:
            for each in controls(form):
                if each.hasAttribute("form") and self._known(form, each) is jsnull:
                    undo.callback(each.setAttribute, "form", each.getAttribute("form"))
                    each.removeAttribute("form")
            # A listener of the page may have put something else in its place.
            if submitter is not jsnull and not (submitter.form == form and submitter.matches(SUBMITS)):
                submitter = jsnull
            for name, value in js.FormData.new(form, submitter).entries():
                text = value if isinstance(value, str) else value.name  # of a file
                fields.setdefault(name, []).append(_LINE_END.sub("\r\n", text))
        return {name: texts if texts[1:] else texts[0] for name, texts in fields.items()}

    def _note_in(self, form: Any) -> _ErrorNote:
        note = self._note_for(form) or self._new_note(form)
        note.field = own(form).querySelector("input:not([type=hidden])")
        return note

    def _note_for(self, element: Any) -> _ErrorNote | None:
        """Return the nearest visible note for an element, if there is one."""
        around = element
        while around is not jsnull:
            for each in chain.from_iterable(actions.notes for actions in _listening):
                form = each.closest(f"form{ACTION}")
                is_for_it = form is jsnull or own(form).contains(element)
                if is_for_it and own(around).contains(each) and own(each.parentElement).checkVisibility():
                    return _ErrorNote(each)
            around = own(around).parentElement
        return None

    def _new_note(self, element: Any) -> _ErrorNote:
        node = own(element)
        made = own(node.ownerDocument).createElement("p")
        made.setAttribute("data-session-error", "")
        (node.append if node.localName == "form" else node.after)(made)
        self.notes.append(made)
        return _ErrorNote(made)

    def _goes_elsewhere(self, button: Any) -> bool:
        """Whether a form's button closes a dialog or leads to another page."""
        if button is jsnull or not _has(button):
            return False
        return bool(button.hasAttribute("formaction") or button.formMethod == "dialog")

    def _report_unbound(self, element: Any) -> bool:
        """Report that an element does nothing, unless it is bound after all."""
        if any(each.bound.has(element) for each in _listening):
            return False
        told = f"{start_tag(element)}: it came after bind_page(). Call bind_page() for what the page adds."
        self._provider.engine.report("an element with data-session-action does nothing", LookupError(told))
        return True

    def _welcome(self, form: Any) -> None:
        """Clear the password. If the form is hidden now, focus what has come into view."""
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


def _has(control: Any) -> bool:
    """Whether an element was a form's control when it was bound."""
    return any(each.controls.has(control) for each in _listening)


class _ErrorNote:
    """The element in which a visitor reads that something did not work."""

    def __init__(self, element: Any) -> None:
        self._element = element
        self.field: Any = jsnull  # takes the focus
        element.setAttribute("role", "alert")
        text = element.textContent.strip()
        if text and text != _shown().get(element) and not element.dataset.sessionError:
            element.dataset.sessionError = text  # the page's own words

    def hide(self) -> None:
        self._element.hidden = True

    def show(self, text: str) -> None:
        self._element.textContent = self._element.dataset.sessionError or text
        _shown().set(self._element, self._element.textContent)
        self._element.hidden = False
        if self.field is not jsnull:
            self.field.focus()


@cache
def _shown() -> Any:
    """The text that each note was given, which is not the page's own. A snapshot cannot hold the map."""
    return js.WeakMap.new()


def _advice(error: BaseException) -> str:
    return _ADVICE.get(type(error), _FAILED)


def _words_for(result: SignInResult, otherwise: str) -> str:
    """Return the words for a sign-in that was not accepted.

    Args:
        result: Of it.
        otherwise: The words if nothing more is known: `_RETURNED` if the visitor has been elsewhere.
    """
    code = result.error or ""
    known = _OF_BROWSER | _REASONS if otherwise == _RETURNED else _OF_BROWSER
    return known.get(code, otherwise)


def _busy(element: Any) -> ExitStack:
    """Disable a form's buttons. Its fields stay as they are: password managers look at them."""
    buttons = [
        each for each in controls(element) if each.matches(SUBMITS) and not getattr(each, "disabled", True)
    ]
    page = own(own(element).ownerDocument)
    focused = next((each for each in buttons if each == page.activeElement), None)
    undo = ExitStack()
    if focused:
        undo.callback(lambda: focused.focus() if page.activeElement == page.body else None)
    own(element).setAttribute("aria-busy", "true")
    undo.callback(own(element).removeAttribute, "aria-busy")
    for button in buttons:
        button.disabled = True
        undo.callback(setattr, button, "disabled", False)
    return undo


def _words_for_return(address: str) -> str | None:
    """Return the words for the ``error`` that the server has added to the sign-in page's address."""
    if "error=" not in address:  # most pages need no parser for it
        return None
    code = query_of(address).get("error", [""])[-1]
    return _REASONS.get(code, _RETURNED) if _CODES.fullmatch(code) else None


def _opens_elsewhere(element: Any, event: Any) -> bool:
    """Whether a click has the browser open a link in another tab, or save it."""
    keys = (getattr(event, f"{key}Key", False) for key in ("ctrl", "meta", "shift", "alt"))
    return bool(getattr(element, "href", "")) and any(keys)


def _listen(element: Any, event: str, handler: Callable[[Any], object]) -> Callable[[], None]:
    target = own(element)
    proxy = create_proxy(listener(handler, default_host().report))
    target.addEventListener(event, proxy)

    def undo() -> None:
        target.removeEventListener(event, proxy)
        proxy.destroy()

    return undo
