"""Whole sites, as users have them, in a real browser."""
