"""Sign-ins: which way the provider goes, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from ..core import wire
from ..core.store import Mutation, is_same_user
from ..core.urls import STATE_PARAMETER, as_texts, join, origin_of, safe_redirect, with_parameter
from ..errors import NextAuthError
from ..state import S
from .guards import is_acting, send_away

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.wire import SignInResult
    from .mutations import AuthClient
    from .outbox import Outbox
    from .transport import Transport

# Types of providers whose POST signs in. With the others, nothing changes before the visitor comes back.
_SIGN_IN_HERE = {"credentials", "webauthn"}


class SignIns(Generic[S]):
    """Signs in: on the page, with a passkey, or elsewhere.

    Args:
        client: Changes the session.
        transport: Makes the requests.
        outbox: Tells the other tabs.

    Attributes:
        host: The page or worker this runs in.
        auth: The auth server's address.
        state_nonce: Is to be in the address that a sign-in returns to, if the page has something to remember.
    """

    def __init__(self, client: AuthClient[S], transport: Transport, outbox: Outbox[S]) -> None:
        self.host = client.host
        self.auth = client.auth
        self.state_nonce = ""
        self._client = client
        self._transport = transport
        self._outbox = outbox

    @property
    def session(self) -> S | None:
        """The session that is shown."""
        return self._client.store.state.data

    def expect_sign_in(self) -> None:
        """Whoever is found to be signed in from now on has signed in, even right after a sign-out."""
        self._client.reader.revival.end()

    async def sign_in(
        self,
        provider_id: str | None,
        *,
        callback_url: str | None,
        redirect: bool,
        authorization_params: Mapping[str, object] | str,
        fields: Mapping[str, object],
    ) -> SignInResult | None:
        """Sign in, as `nextauth_py.sign_in` describes."""
        self._client.check_can_leave(redirect=redirect)
        with self._client.call("sign_in") as call:
            callback = self._client.checked_callback(callback_url)
            providers = await self._transport.providers()
            provider = providers.get(provider_id or "")
            if provider_id is None or provider is None:
                callback = self.with_state(callback)
                return self._choose_provider(callback, redirect=redirect, any_provider=bool(providers))
            if redirect or provider.get("type") in wire.ELSEWHERE:
                callback = self.with_state(callback)
            result, url = await self._run_attempt(
                provider_id, provider, fields, callback, authorization_params, call=call, redirect=redirect
            )
            if not url:
                return result
            return self._client.finish(url, result, callback, redirect=redirect)

    async def start_sign_in(
        self,
        provider_id: str | None,
        *,
        callback_url: str | None,
        landing: str,
        authorization_params: Mapping[str, object] | str,
        fields: Mapping[str, object],
    ) -> str | SignInResult:
        """Return the URL that a sign-in in another window goes on at; or the result, if it needs no window.

        Args:
            provider_id: As for `sign_in`.
            callback_url: As for `sign_in`, for a sign-in that needs no window.
            landing: Where the window is to be afterwards.
            authorization_params: As for `sign_in`.
            fields: As for `sign_in`.
        """
        with self._client.call("sign_in") as call:
            providers = await self._transport.providers()
            provider = providers.get(provider_id or "")
            if provider_id is None or provider is None:
                return self._sign_in_page(landing, any_provider=bool(providers))
            kind = provider.get("type")
            if kind == "webauthn":
                raise ValueError("a passkey needs no window: leave out popup=")
            is_elsewhere = kind in wire.ELSEWHERE
            result, url = await self._run_attempt(
                provider_id,
                provider,
                fields,
                landing if is_elsewhere else self._client.checked_callback(callback_url),
                authorization_params,
                call=call,
                redirect=False,
            )
            return safe_redirect(url, page=self.host.location()) if is_elsewhere and result.ok else result

    async def find_new_session(self, before: S | None) -> bool:
        """After a sign-in elsewhere, ask for the session and tell all tabs. Return whether there is one.

        Args:
            before: A session whose user does not count.

        Raises:
            ClientFetchError: The server could not be reached, or failed.
        """

        async def find(mutation: Mutation) -> bool:
            answer = await self._show_new_session(mutation)
            if isinstance(answer, NextAuthError):
                raise answer
            is_new = answer is not None and not (before and is_same_user(answer, before))
            mutation.is_refused = not is_new
            return is_new

        with self._client.call("sign_in"):
            return await self._client.mutate("sign_in", find)

    async def _run_attempt(
        self,
        provider_id: str,
        provider: Mapping[str, Any],
        fields: Mapping[str, object],
        callback: str,
        query: Mapping[str, object] | str,
        *,
        call: object,
        redirect: bool,
    ) -> tuple[SignInResult, str]:
        """Return the result, and where the server leads; nowhere, if only the browser has refused."""
        kind, form = provider.get("type"), fields
        if kind == "webauthn":
            from .passkeys import Ceremony  # noqa: PLC0415 - few sites have them

            ceremony = Ceremony(
                self.host,
                self.auth,
                provider_id,
                provider,
                callback,
                send=self._send_alone,
                idle=lambda: self._client.idle(call),
                trace=self._client.trace,
            )
            answer = await ceremony.run(as_texts(fields))
            if isinstance(answer, wire.SignInResult):
                return answer, ""
            form = answer
        route = "callback" if kind in _SIGN_IN_HERE else "signin", provider_id
        attempt = _SignIn(route, {**form, "callbackUrl": callback}, query, provider)
        if kind in _SIGN_IN_HERE:
            return await self._client.mutate(
                "sign_in", lambda mutation: self._sign_in_here(attempt, mutation, redirect)
            )
        async with self._client.reader.lock:  # no mutation: nothing changes before the user comes back
            return await self._post_sign_in(attempt)

    def _choose_provider(self, callback: str, *, redirect: bool, any_provider: bool) -> SignInResult | None:
        """Go to the server's sign-in page, or to its error page if it has no providers."""
        url = self._sign_in_page(callback, any_provider=any_provider)
        if redirect and is_acting():
            send_away(self.host, self.auth, url)
            return None
        return self._client.finish(
            url, wire.SignInResult(ok=False, status=200, error="Signin", url=url), callback, redirect=redirect
        )

    def _sign_in_page(self, callback: str, *, any_provider: bool) -> str:
        told = {"callbackUrl": callback} if any_provider else {}
        path = self.auth.endpoint("signin" if any_provider else "error", **told)
        return safe_redirect(path, page=self.host.location())

    async def _sign_in_here(
        self, attempt: _SignIn, mutation: Mutation, redirect: bool
    ) -> tuple[SignInResult, str]:
        result, url = await self._post_sign_in(attempt)
        mutation.is_refused = not result.ok
        # A page that is about to be left need not know, unless it is to tell others: the next page asks.
        if result.ok and (not redirect or self._outbox.has_peers):
            await self._show_new_session(mutation)
        return result, url

    async def _send_alone(self, request: wire.Request) -> wire.Response:
        async with self._client.reader.lock:
            return await self._transport.send(request)

    async def _post_sign_in(self, attempt: _SignIn) -> tuple[SignInResult, str]:
        response, url, verdict = await self._transport.post_form(
            *attempt.route, form=attempt.form, query=attempt.query, provider=attempt.provider
        )
        return wire.read_sign_in(response, url, verdict), url

    async def _show_new_session(self, mutation: Mutation) -> S | NextAuthError | None:
        """Show the new session, and return it. The sign-in has succeeded, even if it cannot be read yet."""
        try:
            raw = await self._transport.session()
            answer: S | NextAuthError | None = None if raw is None else self._client.reader.validated(raw)
            mutation.session = raw
        except NextAuthError as error:
            answer = error
        self._client.store.apply(answer, started=mutation.started, reason="sign_in", source="mutation")
        return answer

    def with_state(self, callback: str) -> str:
        """The address that a sign-in returns to, for a page that has something to remember."""
        page = self.host.location()
        is_own = self.state_nonce and origin_of(join(page, callback)) == origin_of(page)
        return with_parameter(callback, STATE_PARAMETER, self.state_nonce) if is_own else callback


@dataclass(eq=False, repr=False)
class _SignIn:
    """An attempt to sign in. Its form may hold a password, so it does not print it."""

    route: tuple[str, str]
    form: Mapping[str, object]
    query: Mapping[str, object] | str
    provider: Mapping[str, Any]
