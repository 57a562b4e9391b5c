"""The session in a page: an element that `SessionProvider` reads instead of asking the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
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
    leaves the element out, with a warning in the log: the page then asks for itself.

    Args:
        session: As `get_session` returned it: None for "nobody is signed in".

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
        # By json.dumps, because pydantic's own writer refuses half an emoji; aliases are what a page reads.
        return session.model_dump(mode="json", by_alias=True)
    raise TypeError(f"session_script takes a Session, a mapping or None, not {type(session).__name__}")


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a session in a page has JSON only, no {type(value).__name__}")
