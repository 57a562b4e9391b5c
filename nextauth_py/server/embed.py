"""The session in a page: an element that `SessionProvider` reads instead of asking the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models import Session

_log = logging.getLogger("nextauth_py.server")

# In JSON these stand only inside of texts, where an escape means the same. Unescaped, "</script>" would end
# the element, "<!--" would open a comment that swallows its end, and old parsers end lines at the last two.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


class Html(str):
    """HTML, ready to be put into a page: Jinja and Django templates leave it as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def session_script(session: Session | Mapping[str, Any] | None) -> Html:
    """The element that tells a page's `SessionProvider` the session, so that it need not ask.

    Put it above the page's Python. All of the session can be read in the page's source. A content security
    policy needs no exception for it: it is data.

    What JSON cannot say (NaN, an infinity, an object in itself) and what is nested too deeply to be written
    leaves the element out, with a warning in the log: the page then asks for itself. Fields with aliases have
    the names by which they are read, and computed fields are left to the page.

    Args:
        session: The result of `get_session`: None if signed out.

    Raises:
        TypeError: It is something else, or a mapping with values that JSON does not have, as dates.

    Example:
        ```python
        page = f"<body>{session_script(session)}…"
        ```
    """
    try:
        text = json.dumps(_plain(session), allow_nan=False, separators=(",", ":"), default=_mapping)
    except (ValueError, RecursionError) as error:
        _log.warning("The session is not in the page, because it is no JSON: %s", type(error).__name__)
        return Html("")
    return Html(f'<script type="application/json" id="nextauth-session">{text.translate(_ESCAPES)}</script>')


def _plain(session: Session | Mapping[str, Any] | None) -> Any:
    if session is None or isinstance(session, Mapping):
        return session
    if hasattr(session, "model_dump"):
        return _as_read(session, _dumped(session))
    raise TypeError(f"session_script takes a Session, a mapping or None, not {type(session).__name__}")


def _dumped(session: Session) -> Any:
    """Dump a model as pydantic does, but keep lone surrogates, which pydantic refuses."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - loaded with the model

    try:
        return session.model_dump(mode="json", by_alias=True, round_trip=True)
    except UnicodeEncodeError:  # in a name
        dumped = session.model_dump(by_alias=True, round_trip=True)
        return json.loads(json.dumps(dumped, default=to_jsonable_python))


def _as_read(value: Any, dumped: Any) -> Any:
    """Rename the fields of a dumped value to the names that a validating page reads."""
    if isinstance(dumped, list) and isinstance(value, Collection) and len(value) == len(dumped):
        return [_as_read(*each) for each in zip(value, dumped, strict=True)]
    if not isinstance(dumped, dict):
        return dumped
    if isinstance(value, Mapping) and len(value) == len(dumped):
        items = zip(value.values(), dumped.items(), strict=True)
        return {name: _as_read(each, inner) for each, (name, inner) in items}
    fields = getattr(type(value), "__pydantic_fields__", {})
    written = {field.serialization_alias or name: name for name, field in fields.items()}
    read = {name: inner for name, inner in dumped.items() if name not in written}
    ways = [(_way(type(value), name), name, alias) for alias, name in written.items() if alias in dumped]
    for way, name, alias in sorted(ways, key=_turn):
        _put(read, way, _as_read(getattr(value, name), dumped[alias]))
    return read


def _turn(way: tuple[list[str | int], str, str]) -> tuple[int, bool, int]:
    """Whole fields come before parts of them, and what is counted from a list's end last."""
    last = way[0][-1]
    position = last if isinstance(last, int) else 0
    return len(way[0]), position < 0, position


def _way(model: Any, name: str) -> list[str | int]:
    """Return the path that a field is read from: keys and list positions."""
    config = getattr(model, "model_config", {})
    alias = model.__pydantic_fields__[name].validation_alias
    if alias is None or config.get("validate_by_alias") is False:
        return [name]
    choices = getattr(alias, "choices", [alias])
    alias = next((each for each in choices if isinstance(each, str)), choices[0])
    return [alias] if isinstance(alias, str) else alias.path


class _Made(list[Any]):
    """A list that is no field itself, made for fields that are read from its positions."""


def _put(holder: Any, way: list[str | int], value: object) -> None:
    """Put a value where it is read from, unless another field's value is there."""
    step, *rest = way
    if isinstance(step, int):
        if not isinstance(holder, _Made):
            return
        holder += [None] * (max(step, ~step) + 1 - len(holder))
        if step < 0 and not rest and holder[step] not in (None, value):  # it is counted from the start
            holder += [None] * -step
    inner = holder[step] if isinstance(step, int) else holder.get(step)
    if rest:
        kind = list if isinstance(rest[0], int) else dict
        if not isinstance(inner, kind):
            holder[step] = _Made() if kind is list else {}
        _put(holder[step], rest, value)
    elif inner is None:
        holder[step] = value


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a session in a page has JSON only, no {type(value).__name__}")
