"""A page for one role: who has another is led to the page "Not for you", and sees nothing of this one."""

from pyscript import document

from nextauth_py import Auth, SessionProvider, bind_page, component, use_session

root = document.documentElement.dataset
SessionProvider(base_path=root.auth).start()


@component("#admins", auth=Auth(role="admin", loading="One moment…", unauthorized=root.denied))
def admins():
    user = use_session().data.user
    return f"{user.name or user.email} has the role “{user.role}”."


bind_page()  # the button to sign out, by its attributes
