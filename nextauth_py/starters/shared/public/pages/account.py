"""The account page: the way in, then who you are."""

from pyscript import document, window

from nextauth_py import (
    NextAuthError,
    SessionProvider,
    component,
    get_providers,
    sign_in,
    sign_out,
    use_session,
)

SessionProvider(base_path=document.documentElement.dataset.auth).start()

# The auth server says here which guarded page has sent its visitor, and why a sign-in elsewhere has failed.
address = window.URLSearchParams.new(window.location.search)
came_from = address.get("callbackUrl") or None

SIGN_IN_FIRST = "Sign in, and you get back to where you were."
MESSAGES = {
    "CredentialsSignin": "That name and password do not go together.",
    "AccessDenied": "You may not sign in here.",
}
NO_ANSWER = "The server does not answer just now. Try again in a moment."
NO_SUCCESS = "Signing in did not work. Please try again."
NO_WAY = "Nobody can sign in yet: see the site's README.md."


def message(error):
    return MESSAGES.get(error, NO_SUCCESS) if error else ""


reason = address.get("error")
is_sent_here = reason == "SessionRequired"
failure = "" if is_sent_here else message(reason)
busy = False
providers = None  # until the server has named them


def sign_in_form():
    return t"""
        <h1>Sign in</h1>
        <p class="notice" role="status" ?hidden={not is_sent_here}>{SIGN_IN_FIRST}</p>
        <p class="notice" ?hidden={providers}>{NO_WAY}</p>
        {password_form() if "credentials" in providers else None}
        <p class="error" role="alert" ?hidden={not failure}>{failure}</p>
        {[other_way(each) for each in providers.values() if each.type != "credentials"]}
    """


def password_form():
    return t"""
        <p class="quiet">To try: <code>alice</code> with <code>wonder</code>, who is an admin,
            or <code>bob</code> with <code>builder</code>.</p>
        <form class="stack" method="post" @submit={submit}>
            <label>User name
                <input name="username" autocomplete="username" autocapitalize="none" required>
            </label>
            <label>Password
                <input name="password" type="password" autocomplete="current-password" required>
            </label>
            <div><button class="primary" ?disabled={busy}>Sign in</button></div>
        </form>
    """


def other_way(provider):
    return t"""
        <p><button ?disabled={busy} @click={(lambda: sign_in(provider.id, callback_url=came_from))}>
            Sign in with {provider.name}</button></p>
    """


def profile(session):
    user = session.data.user
    name = user.name or user.email
    return t"""
        <div class="person">
            <span class="avatar" aria-hidden="true">{name[:1].upper()}</span>
            <div>
                <h1>{name}</h1>
                <span class="quiet">{user.email}</span>
            </div>
        </div>
        <p class="error" role="alert" ?hidden={not failure}>{failure}</p>
        <p class="quiet">Signed in until {session.data.expires:%d %B %Y}, and longer if you come back.</p>
        <p><button ?disabled={busy} @click={leave}>Sign out</button></p>
    """


async def submit(event):
    event.preventDefault()
    fields = event.target.elements
    result = await attempt(
        sign_in(
            "credentials",
            username=fields.username.value,
            password=fields.password.value,
            callback_url=came_from,
            redirect=False,
        )
    )
    if result and result.ok and came_from:
        window.location.assign(result.url)
    elif result:
        say(message(result.error))


async def leave():
    await attempt(sign_out(redirect=False))


async def attempt(call):
    """Await a call with the buttons disabled, and say if it fails."""
    global busy
    busy = True
    say("")
    try:
        return await call
    except NextAuthError as error:
        window.console.error(str(error))  # for you: visitors read no exceptions
        say(NO_ANSWER)
    finally:
        busy = False
        account.update()


def say(text):
    global failure
    failure = text
    account.update()


@component("#account")
def account():
    session = use_session()
    if session.status == "authenticated":
        return profile(session)
    if session.status == "loading" or providers is None:
        return t'<h1>One moment</h1><p class="quiet">{NO_ANSWER if session.error else failure}</p>'
    return sign_in_form()


try:
    providers = await get_providers()
except NextAuthError as error:
    window.console.error(str(error))
    say(NO_ANSWER)
account.update()
