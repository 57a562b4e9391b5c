"""Says on a channel who is signed in, and whether PyScript's own hook has run, which brings `fs`."""

import js
from pyscript import document, fs

from nextauth_py import get_session

if js.crossOriginIsolated:
    document.querySelector("#shown").textContent = "by the worker"
session = await get_session()  # noqa: F704, PLE1142 - PyScript runs it as a coroutine
js.BroadcastChannel.new("said").postMessage(f"{session and session.user.name} {fs.mounted}")
