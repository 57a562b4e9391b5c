"""A page for members: nothing of it is there before the server has confirmed who you are."""

from nextauth_py import Auth, SessionProvider, component, use_session

SessionProvider().start()


def skeleton():
    return t'<h1 class="skeleton">Members</h1><p class="skeleton">One moment…</p>'


@component("#members", auth=Auth(loading=skeleton))
def members():
    user = use_session().data.user
    return t"""
        <h1>For members</h1>
        <p>Welcome, <b>{user.name}</b>. This text was put here only after the server had said so.</p>
        <p class="quiet">What is really secret belongs on the server, which checks each request for it.</p>
    """
