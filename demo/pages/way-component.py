"""The first way: a component."""

from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session

SessionProvider().start()


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return t"<h1>One moment</h1>"
    if session.data:
        user = session.data.user
        return t"""
            <h1>Hello, {user.name}</h1>
            <p class="quiet">{user.email}</p>
            <button @click={sign_out}>Sign out</button>
        """
    return t'<h1>Hello</h1><button class="primary" @click={sign_in}>Sign in</button>'
