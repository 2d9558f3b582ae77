"""Which users get what, and what came of it."""
