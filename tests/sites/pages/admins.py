"""A part of a page that only admins see."""

import js

from nextauth_py import Auth, SessionProvider, component

SessionProvider(base_path=js.document.getElementById("admins").dataset.basePath).start()


@component("#admins", auth=Auth(role="admin", loading="…"))
def admins():
    return t"<p id='secret'>For admins</p>"
