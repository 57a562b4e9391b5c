"""Access to elements that no markup can redirect: a form's controls take the names of its properties."""

from __future__ import annotations

from typing import Any


def own(node: Any) -> Any:
    """A DOM node's properties and methods as its class defines them.

    ``form.matches`` is a control of that name, if the form has one; ``own(form).matches`` is the method.
    """
    return _Own(node)


class _Own:
    """Reads through the prototype."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        import js  # noqa: PLC0415 - only a browser can import it

        found = js.Reflect.get(js.Object.getPrototypeOf(self._node), name, self._node)
        return found.bind(self._node) if callable(found) else found
