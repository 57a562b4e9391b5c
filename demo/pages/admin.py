"""A page for one role: who has another is led elsewhere, without seeing any of it."""

from nextauth_py import Auth, SessionProvider, component, use_session

SessionProvider().start()


def skeleton():
    return t'<h1 class="skeleton">Admins</h1><p class="skeleton">One moment…</p>'


@component("#admins", auth=Auth(role="admin", loading=skeleton, unauthorized="denied.html"))
def admins():
    user = use_session().data.user
    return t"""
        <h1>For admins</h1>
        <p><b>{user.name}</b> has the role <code>{user.role}</code>.</p>
    """
