"""The second way: elements of the page, bound to the session."""

from pyscript import when

from nextauth_py import SessionProvider, sign_in, sign_out, use_session

SessionProvider().start()

session = use_session()
session.bind("#loading", show="loading")
session.bind("#member", show=True)
session.bind("#visitor", show="unauthenticated")
session.bind("#name", text=lambda s: s.user.name)
session.bind("#mail", text="user.email")


@when("click", "#leave")
async def leave():
    await sign_out()


@when("click", "#enter")
async def enter():
    await sign_in()
