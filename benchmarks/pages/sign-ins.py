"""Signs in at an identity provider, in a window or by leaving the page, and notes when the name is shown."""

import js
from pyscript import when

from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session

SessionProvider().start()


def now():
    return js.performance.timeOrigin + js.performance.now()


@component("#shown")
def shown():
    session = use_session()
    if session.data:
        js.window.shownAt = now()
    return session.data.user.name if session.data else session.status


@when("click", "#popup")
async def in_a_window():
    js.sessionStorage.setItem("clickedAt", now())
    await sign_in("local-oidc", popup=True)


@when("click", "#redirect")
async def by_leaving():
    js.sessionStorage.setItem("clickedAt", now())
    await sign_in("local-oidc")


@when("dblclick", "#shown")
async def leave():
    await sign_out(redirect=False)
