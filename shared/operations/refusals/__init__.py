"""Why requests of a client were refused, and what fixes it."""
