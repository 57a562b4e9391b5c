"""The session in a page: an element that `SessionProvider` reads instead of asking the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models import Session

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

    Args:
        session: As `get_session` returned it: None for "nobody is signed in".

    Raises:
        TypeError: It is something else.

    Example:
        ```python
        page = f"<body>{session_script(session)}…"
        ```
    """
    if session is None or isinstance(session, Mapping):
        text = json.dumps(session)
    elif hasattr(session, "model_dump_json"):
        text = session.model_dump_json()
    else:
        raise TypeError(f"session_script takes a Session, a mapping or None, not {type(session).__name__}")
    return Html(f'<script type="application/json" id="nextauth-session">{text.translate(_ESCAPES)}</script>')
