"""A page: whatever it calls has the type, and the arguments, that an editor would show."""

from __future__ import annotations

import asyncio
from typing import Literal, assert_type

from nextauth_py import (
    Auth,
    ClientFetchError,
    NextAuthError,
    Provider,
    Session,
    SessionEvent,
    SessionHandle,
    SessionProvider,
    SessionState,
    SignInResult,
    SignOutResult,
    User,
    bind_page,
    component,
    get_csrf_token,
    get_providers,
    get_session,
    keyed,
    sign_in,
    sign_out,
    use_session,
)


class Customer(User):
    number: int = 0


class ShopSession(Session):
    customer: Customer
    role: Literal["customer", "staff"] = "customer"


provider = SessionProvider(session_type=ShopSession, refetch_interval=5 * 60).start()
assert_type(provider, SessionProvider[ShopSession])
plain = SessionProvider()
assert_type(plain, SessionProvider[Session])
assert_type(SessionProvider(None), SessionProvider[Session])
assert_type(SessionProvider({"user": {}}, refetch_when_offline=False), SessionProvider[Session])
session = use_session(provider=provider)
assert_type(session, SessionHandle[ShopSession])


def show(state: SessionState[ShopSession]) -> None:
    if state.data is not None:
        assert_type(state.data.role, Literal["customer", "staff"])


def heard(event: SessionEvent[ShopSession]) -> None:
    print(event.name, event.state.data)


async def calls() -> None:
    assert_type(await session.update(), ShopSession | None)
    assert_type(await session.update({"role": "staff"}), ShopSession | None)
    assert_type(await session.update(data={"role": "staff"}), ShopSession | None)
    assert_type(await provider.update(data=None), ShopSession | None)
    update = use_session().update
    await update()
    data, status, again = use_session()
    await again(data={"a": 1})
    print(data, status)
    await asyncio.create_task(session.update())
    assert_type(session.data, ShopSession | None)
    if session.data is not None and session.data.user is not None:
        assert_type(session.data.user.name, str | None)
    assert_type(await get_session(), Session | None)
    assert_type(await get_csrf_token(), str | None)
    assert_type(await get_providers(), dict[str, Provider])
    assert_type(await sign_in(), SignInResult | None)
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    if result is not None and not result.ok:
        print(result.error, result.code, result.status, result.url)
    await sign_in("github", callback_url="/x", authorization_params={"login": "alice"})
    assert_type(await sign_out(redirect=False), SignOutResult | None)
    assert_type(await provider.ready(), SessionState[ShopSession])
    assert_type(await provider.refetch(), SessionState[ShopSession])
    assert_type(await provider.get_session(), ShopSession | None)
    try:
        await provider.sign_in("github")
        await provider.sign_out()
    except ClientFetchError as error:
        print(error.url, error.status)
    except NextAuthError as error:
        print(error)


stop = provider.subscribe(show)
stop()
provider.on("signed_in", heard)()
provider.on("error", lambda event: print(event.state.error))()
session.subscribe(lambda state: print(state.status))()
session.bind("#name", text=lambda s: s.customer.number, attr={"title": "user.name"}, show=True)()
session.bind("#badge", class_={"vip": lambda s: s.role == "staff", "in": "authenticated"}, text="user.name")()
provider.session = None
provider.session = ShopSession.model_validate({})
provider.session = {"user": {}}
bind_page(provider=provider)()
bind_page("#part")()
staff = Auth(role=["staff", "owner"], loading=lambda: "One moment", unauthorized="/denied")
required = use_session(required=True, on_unauthenticated=lambda: None)


@component("#account", auth=Auth(role="admin", allow=lambda s: bool(s.user), loading="…"))
def account() -> object:
    handle = use_session()
    if handle.data is None:
        return "Nobody"
    return [keyed(row, str(row)) for row in (1, 2)]


@component("#plain")
def plain_text() -> str:
    return "text"


@component()
def later() -> list[object]:
    return ["a", None]


@component
def bare() -> str:
    return "text"


account.update()
bare.mount("#bare").unmount()
later.mount("#x").unmount()


async def ways() -> None:
    with SessionProvider() as one:
        print(one.state.status)
    async with SessionProvider(session_type=ShopSession) as other:
        print(other.state.data and other.state.data.customer.number)
