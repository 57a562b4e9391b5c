"""Real sites from npm, in production builds, with pages in Python among their own."""
