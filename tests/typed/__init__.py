"""Pages, routes and tests as users type them: for type checkers to read, never run."""
