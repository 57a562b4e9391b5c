"""Shows the user's name, or the status, as the JavaScript clients' pages do, and offers the same calls."""

import js
from pyodide.ffi import create_proxy

from nextauth_py import SessionProvider, component, sign_in, sign_out, use_session

interval = float(js.URLSearchParams.new(js.location.search).get("interval") or 0)
provider = SessionProvider(refetch_interval=interval).start()


@component("#shown")
def shown():
    session = use_session()
    return session.data.user.name if session.data else session.status


async def enter():
    await sign_in("credentials", username="alice", password="wonder", redirect=False)  # noqa: S106 - the demo's


async def leave():
    await sign_out(redirect=False)


async def rename(name):
    await provider.update({"name": name})


js.window.client = js.Object.fromEntries(
    [["signIn", create_proxy(enter)], ["signOut", create_proxy(leave)], ["update", create_proxy(rename)]]
)
