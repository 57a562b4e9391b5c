"""The visitor's session in a Python web server: Starlette, FastAPI, Flask, Django, or any other.

The visitor's cookies are passed on to the auth server, which says who they belong to. Needs httpx:
``pip install "nextauth-py[server]"``. A decorator that protects routes is in the module of each framework, as
`nextauth_py.server.flask`.

Example:
    ```python
    from nextauth_py.server import Visitor

    visitor = Visitor(request)
    page = f"<body>{await visitor.session_script()}…"
    return visitor.keep(HTMLResponse(page))
    ```
"""

from __future__ import annotations

from .cookies import AUTH_COOKIES
from .embed import session_script
from .visitor import BlockingVisitor, Visitor, get_csrf_token, get_providers, get_session

__all__ = [
    "AUTH_COOKIES",
    "BlockingVisitor",
    "Visitor",
    "get_csrf_token",
    "get_providers",
    "get_session",
    "session_script",
]
