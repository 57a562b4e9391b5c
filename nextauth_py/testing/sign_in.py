"""Sign a real browser in at a real server, for Playwright tests of other things."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ..core.urls import DEFAULT_BASE_PATH, AuthUrl, origin_of
from ..core.wire import (
    Request,
    Response,
    csrf_was_refused,
    form_request,
    read_csrf_token,
    read_redirect,
    read_request,
    read_sign_in,
    read_verdict,
    slashed_request,
)

if TYPE_CHECKING:
    from collections.abc import Generator


def sign_in_as(
    page: Any,
    provider: str = "credentials",
    /,
    *,
    base_url: str | None = None,
    base_path: str = DEFAULT_BASE_PATH,
    **fields: object,
) -> Any:
    """Sign a Playwright page in, past its pages: two requests, and the browser has the cookies.

    Best done before the page is opened. With Playwright's async API, ``await`` it.

    Args:
        page: A page, or a browser context, of Playwright.
        provider: The id of a credentials provider. A site that has none may add one for its tests.
        base_url: The origin of the site; by default the page's own, or the ``base_url`` of its context.
        base_path: Where the auth routes are.
        **fields: What the provider asks for, as ``username`` and ``password``.

    Raises:
        ValueError: The server refuses them.
        ClientFetchError: It answers what no NextAuth server answers.

    Example:
        ```python
        def test_the_account_page(page):
            sign_in_as(page, username="alice", password="wonder")
            page.goto("/account")
        ```
    """
    origin = base_url.rstrip("/") if base_url else origin_of(str(getattr(page, "url", "")))
    client = getattr(page, "context", page).request
    steps = _steps(AuthUrl(origin, base_path.rstrip("/")), provider, fields)
    if inspect.iscoroutinefunction(client.get):
        return _run_async(client, steps)
    return _run(client, steps)


def _steps(auth: AuthUrl, provider: str, fields: dict[str, object]) -> Generator[Request, Response, None]:
    asked = read_request(auth, "csrf")
    token = read_csrf_token(asked, (yield from _answer(asked)))
    form = {**fields, "csrfToken": token, "callbackUrl": auth.origin or "/"}
    sent = form_request(auth, "callback", provider, fields=form)
    response = yield from _answer(sent)
    page = auth.origin or "http://localhost"
    url = read_redirect(sent, response, page=page)
    verdict = read_verdict(auth, url, page=page, callback_url=page, provider={})
    result = read_sign_in(response, url, verdict)
    if not result.ok or csrf_was_refused(url, verdict):
        raise ValueError(
            f"the server refuses the sign-in: {result.error or 'its csrf token is not the right one'}"
        )


def _answer(request: Request) -> Generator[Request, Response, Response]:
    response = yield request
    again = slashed_request(request, response)
    return (yield again) if again else response


def _run(client: Any, steps: Generator[Request, Response, None]) -> None:
    request = next(steps)
    while request:
        answer = client.fetch(request.url, **_options(request))
        response = Response(answer.status, answer.text(), answer.headers)
        try:
            request = steps.send(response)
        except StopIteration:
            return


async def _run_async(client: Any, steps: Generator[Request, Response, None]) -> None:
    request = next(steps)
    while request:
        answer = await client.fetch(request.url, **_options(request))
        response = Response(answer.status, await answer.text(), answer.headers)
        try:
            request = steps.send(response)
        except StopIteration:
            return


def _options(request: Request) -> dict[str, Any]:
    """Of Playwright's ``fetch``."""
    return {
        "method": request.method,
        "headers": dict(request.headers),
        "max_redirects": 0,
        **({} if request.body is None else {"data": request.body}),
    }
