"""Shows the user's name in many rows, by one component or by a binding for each row."""

import js
from pyodide.ffi import create_proxy

from nextauth_py import SessionProvider, component, keyed, sign_in, use_session

query = js.URLSearchParams.new(js.location.search)
number = int(query.get("rows"))
way = query.get("way")
provider = SessionProvider().start()
session = use_session()


@component("#shown")
def shown():
    session = use_session()
    return session.data.user.name if session.data else session.status


@component()
def rows():
    user = use_session().data
    return [keyed(row, t"<li>{row}: {user and user.user.name}</li>") for row in range(number)]


undos = []


def mount():
    """Draw all rows."""
    target = js.document.querySelector("#rows")
    if way == "component":
        rows.mount("#rows")
        return
    for row in range(number):
        element = js.document.createElement("li")
        target.appendChild(element)
        undos.append(session.bind(element, text=lambda s, row=row: f"{row}: {s.user.name}"))


def unmount():
    """Take them away."""
    rows.unmount()
    while undos:
        undos.pop()()
    js.document.querySelector("#rows").replaceChildren()


async def enter():
    await sign_in("credentials", username="alice", password="wonder", redirect=False)  # noqa: S106 - the demo's


async def rename(name):
    await provider.update({"name": name})


calls = {"signIn": enter, "update": rename, "mount": mount, "unmount": unmount}
js.window.client = js.Object.fromEntries([[name, create_proxy(call)] for name, call in calls.items()])
