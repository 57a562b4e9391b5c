"""The demo: a real NextAuth server with PyScript pages beside it. ``python3 -m demo`` starts it."""
