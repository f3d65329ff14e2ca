"""What the user has just done."""

from typing import Literal

Done = Literal[
    "password", "passkey", "passkey_removed", "factor", "session", "sessions", "connection", "token",
    "profile", "email",
]  # fmt: skip
"""What the user has just done: a page says so once."""
