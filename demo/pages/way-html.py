"""The third way: the attributes of the page say it all."""

from nextauth_py import SessionProvider, bind_page

SessionProvider().start()
bind_page()
