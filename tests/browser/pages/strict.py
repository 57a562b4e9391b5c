"""A page as a site has it: components, and markup that follows the session by its attributes."""

import js

from nextauth_py import SessionProvider, bind_page, component, sign_in, sign_out, use_session

SessionProvider().start()
bind_page()


async def enter():
    await sign_in("credentials", username="bob", password="builder", redirect=False)


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return "One moment"
    if session.status == "unauthenticated":
        return t'<button id="enter" @click={enter}>Sign in as Bob</button>'
    user = session.data.user
    letters = [t"<li class={letter}>{letter}</li>" for letter in user.name[:3]]
    return t"<b title={user.email}>{user.name}</b><ul>{letters}</ul><button @click={sign_out}>Leave</button>"


js.document.documentElement.dataset.ready = ""
