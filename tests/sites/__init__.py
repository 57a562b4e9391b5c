"""Real sites from npm, in production builds, and those that `nextauth-py new` writes, in a real browser."""
