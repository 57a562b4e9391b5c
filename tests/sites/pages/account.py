"""Who is signed in, a form to sign in with, and buttons to change the name and to sign out."""

import js

from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session

SessionProvider(base_path=js.document.getElementById("account").dataset.basePath).start()
refusal = ""


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return "Loading…"
    if session.data:
        return t"""
            <p>Signed in as <b id="shown">{session.data.user.name}</b></p>
            <button id="rename" @click={rename}>Rename</button>
            <button id="sign-out" @click={leave}>Sign out</button>
        """
    return t"""
        <p id="shown">Signed out</p>
        <form @submit={enter}>
            <input name="username" placeholder="User">
            <input name="password" placeholder="Password" type="password">
            <button>Sign in</button>
            <p id="refusal">{refusal}</p>
        </form>
    """


async def enter(event):
    global refusal
    event.preventDefault()
    fields = js.FormData.new(event.target)
    username, password = fields.get("username"), fields.get("password")
    result = await sign_in("credentials", username=username, password=password, redirect=False)
    refusal = result.error or ""
    account.update()


async def rename():
    await use_session().update({"name": "Alice II"})


async def leave():
    await sign_out(redirect=False)
