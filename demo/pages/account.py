"""The account page: sign in, see who you are, change your name, sign out."""

import asyncio

from js import console, document
from reaktiv import Signal

from nextauth_py import (
    NextAuthError,
    SessionProvider,
    component,
    get_providers,
    keyed,
    sign_in,
    sign_out,
    use_session,
)

provider = SessionProvider(refetch_interval=5 * 60).start()

NO_ANSWER = "The server gives no proper answer just now. Try again in a moment."
# Of sign-ins that have not worked. Visitors who have cancelled know that.
REASONS = {
    "AccessDenied": "You may not sign in with that account.",
    "PasskeyCancelled": "",
    "PasskeyExists": "This device has a passkey for you already.",
    "PopupClosed": "",
}
USERS = {"alice": "wonder", "bob": "builder"}
notice = Signal("")
busy = Signal(False)
others = Signal([])  # the ways to sign in without a password


def loading(session):
    if session.error is None:
        return t'<h1>One moment</h1><p class="quiet">Asking the server who you are…</p>'
    return t'<h1>No answer</h1><p class="bad" role="alert">{NO_ANSWER}</p>'


def sign_in_form():
    return t"""
        <h1>Sign in</h1>
        <p class="quiet">Two people live here: {people()}.</p>
        <form class="stack" method="post" @submit={submit}>
            <label>User name
                <input name="username" autocomplete="username" autocapitalize="none" required>
            </label>
            <label>Password
                <input name="password" type="password" autocomplete="current-password" required>
            </label>
            <p class="bad" role="alert" ?hidden={not notice()}>{notice()}</p>
            <div><button class="primary" ?disabled={busy()}>Sign in</button></div>
        </form>
        {[keyed(each.id, way(each)) for each in others()]}
    """


def way(other):
    if other.type == "email":
        return t"""
            <form class="row other" @submit={send_mail}>
                <input class="grow" name="email" type="email" aria-label="E-mail address"
                    placeholder="you@example.com" autocomplete="email" required>
                <button ?disabled={busy()}>Sign in by e-mail</button>
            </form>
        """
    return t"""
        <div class="other">
            <button ?disabled={busy()} @click={(lambda: enter(other))}>Sign in with {other.name}</button>
        </div>
    """


def people():
    """Each user's name, which fills in the form."""
    alice, bob = (
        t"""<button class="link" type="button" @click={(lambda event, name=name: fill(event.target, name))}>
            {name}</button> (<code>{password}</code>)"""
        for name, password in USERS.items()
    )
    return t"{alice} and {bob}"


def fill(button, name):
    fields = button.closest("section").querySelector("form").elements
    fields.username.value, fields.password.value = name, USERS[name]


def profile(session):
    user = session.data.user
    shown = user.name or user.email  # who signs in by e-mail has no name yet
    return t"""
        <div class="stack">
            <div class="row">
                <span class="avatar" aria-hidden="true">{shown[:1].upper()}</span>
                <div>
                    <h1 tabindex="-1">{shown}</h1>
                    <span class="quiet">{user.email}</span>
                </div>
            </div>
            <form class="row" @submit={rename}>
                <input class="grow" name="name" aria-label="New name" placeholder="New name" required>
                <button ?disabled={busy()}>Change name</button>
            </form>
            <p class="bad" role="alert" ?hidden={not notice()}>{notice()}</p>
            <p class="quiet">Signed in until {session.data.expires:%d %B %Y}, and longer if you come back.</p>
            <div class="row">
                <button ?hidden={not has_passkeys()} ?disabled={busy()} @click={add}>Add a passkey</button>
                <button ?disabled={busy()} @click={leave}>Sign out</button>
            </div>
        </div>
    """


def has_passkeys():
    return any(each.type == "webauthn" for each in others())


async def submit(event):
    event.preventDefault()
    fields = event.target.elements
    result = await working(
        sign_in("credentials", username=fields.username.value, password=fields.password.value, redirect=False)
    )
    if result and not result.ok:
        notice.set("That name and password do not go together.")
    elif result:
        await focus("h1")


async def send_mail(event):
    event.preventDefault()
    result = await working(sign_in("email", email=event.target.elements.email.value, redirect=False))
    if result and result.ok:
        notice.set("A link is on its way. This demo keeps its mail on the page “Mail”.")
    elif result:
        notice.set("That is no e-mail address that we can write to.")


async def rename(event):
    event.preventDefault()
    await working(use_session().update({"name": event.target.elements.name.value}))
    event.target.reset()


async def enter(other):
    """Sign in with a passkey, or at an identity provider in a window of its own: the page stays."""
    options = {"redirect": False} if other.type == "webauthn" else {"popup": "or-redirect"}
    result = await working(sign_in(other.id, **options))
    if result and not result.ok:
        notice.set(REASONS.get(result.error, "That did not work. Try again, or sign in another way."))
    elif result:
        await focus("h1")


async def add():
    result = await working(sign_in("passkey", action="register", redirect=False))
    if result and result.ok:
        notice.set("Next time you can sign in with this passkey.")
    elif result:
        notice.set(REASONS.get(result.error, "That did not work with this browser or device."))


async def leave():
    await working(sign_out(redirect=False))
    await focus("input")


async def working(call):
    """Await a call with the buttons disabled; say what went wrong."""
    busy.set(True)
    notice.set("")
    try:
        return await call
    except NextAuthError as error:
        console.error(str(error))  # for developers: visitors read no exceptions
        notice.set(NO_ANSWER)
    finally:
        busy.set(False)


async def focus(selector):
    """What had the focus is gone: go on where a visitor would."""
    await asyncio.sleep(0)  # until it has been drawn
    if element := document.querySelector(f"#account {selector}"):
        element.focus()


async def find_others():
    try:
        providers = await get_providers()
    except NextAuthError:
        return  # the state shows it; the form is there all the same
    others.set([each for each in providers.values() if each.type != "credentials"])


def announce(event):
    """For those who do not see the page change."""
    user = event.state.data and event.state.data.user
    news = f"Signed in as {user.name or user.email}" if user else "Signed out"
    document.querySelector("#news").textContent = news


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return loading(session)
    return profile(session) if session.status == "authenticated" else sign_in_form()


provider.on("signed_in", announce)
provider.on("signed_out", announce)
background = [asyncio.create_task(find_others())]
