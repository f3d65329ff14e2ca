"""Parameters with rules of their own. Pure."""
