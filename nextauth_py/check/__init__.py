"""``nextauth-py check``: what a running site serves, and what would keep its pages in Python from working."""
