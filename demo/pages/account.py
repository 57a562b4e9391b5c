"""The account page: sign in, see who you are, change your name, sign out."""

from nextauth_py import NextAuthError, SessionProvider, component, sign_in, sign_out, use_session

SessionProvider(refetch_interval=5 * 60).start()

USERS = {"alice": "wonder", "bob": "builder"}
notice = ""
busy = False


def loading(session):
    if session.error is None:
        return t'<h1>One moment</h1><p class="quiet">Asking the server who you are…</p>'
    return t'<h1>No answer</h1><p class="bad" role="alert">{session.error}</p>'


def sign_in_form():
    return t"""
        <h1>Sign in</h1>
        <p class="quiet">Two people live here: {people()}.</p>
        <form class="stack" @submit={submit}>
            <label>User name
                <input name="username" autocomplete="username" autocapitalize="none" required>
            </label>
            <label>Password
                <input name="password" type="password" autocomplete="current-password" required>
            </label>
            <p class="bad" role="alert" ?hidden={not notice}>{notice}</p>
            <div><button class="primary" ?disabled={busy}>Sign in</button></div>
        </form>
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
    return t"""
        <div class="stack">
            <div class="row">
                <span class="avatar" aria-hidden="true">{user.name[:1].upper()}</span>
                <div>
                    <h1>{user.name}</h1>
                    <span class="quiet">{user.email}</span>
                </div>
            </div>
            <form class="row" @submit={rename}>
                <input class="grow" name="name" aria-label="New name" placeholder="New name" required>
                <button ?disabled={busy}>Change name</button>
            </form>
            <p class="bad" role="alert" ?hidden={not notice}>{notice}</p>
            <p class="quiet">Signed in until {session.data.expires:%d %B %Y}, and longer if you come back.</p>
            <div><button ?disabled={busy} @click={leave}>Sign out</button></div>
        </div>
    """


async def submit(event):
    event.preventDefault()
    fields = event.target.elements
    result = await working(
        sign_in("credentials", username=fields.username.value, password=fields.password.value, redirect=False)
    )
    if result and not result.ok:
        say("That name and password do not go together.")


async def rename(event):
    event.preventDefault()
    await working(use_session().update({"name": event.target.elements.name.value}))
    event.target.reset()


async def leave():
    await working(sign_out(redirect=False))


async def working(call):
    """Await a call with the buttons disabled; say what went wrong."""
    global busy
    busy = True
    say("")
    try:
        return await call
    except NextAuthError as error:
        say(str(error))
    finally:
        busy = False
        account.update()


def say(text):
    global notice
    notice = text
    account.update()


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return loading(session)
    return profile(session) if session.status == "authenticated" else sign_in_form()
