"""The page of the sites in demo/frameworks, which have put the session into it."""

from pyscript import fetch

from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session

answer = ""

SessionProvider().start()


async def ask():
    global answer
    response = await fetch("/api/me")
    answer = f"{response.status}: {await response.text()}"
    account.update()


@component("#account")
def account():
    session = use_session()
    if session.status == "loading":
        return "Loading…"
    api = t"<p><button @click={ask}>Ask /api/me</button> <output>{answer}</output></p>"
    if session.status == "authenticated":
        return [
            t"<h1>Hello, {session.data.user.name}</h1>",
            t"<p><button @click={sign_out}>Sign out</button></p>",
            api,
        ]
    return [t"<h1>Nobody is signed in.</h1><p><button @click={sign_in}>Sign in</button></p>", api]
