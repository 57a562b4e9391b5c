"""A page for members: nothing of it is there before the server has confirmed who you are.

What is really secret belongs on the server, which has to check each request for it.
"""

from pyscript import document

from nextauth_py import SessionProvider, bind_page, component, use_session

SessionProvider(base_path=document.documentElement.dataset.auth).start()


@component("#members", auth=True)
def members():
    user = use_session().data.user
    return f"Welcome, {user.name or user.email}. The server knows you."


bind_page()  # the button to sign out, by its attributes
