"""Ports: users who are still to be signed out, because they have lost a group or a role with many others."""

from typing import Protocol


class SignOuts(Protocol):
    """Users who wait, written by the transaction that took the group or role from them. PostgreSQL."""

    async def sign_out(self, batch: int) -> int:
        """End every session and grant of up to *batch* users, and notify their clients.

        Several workers may call it concurrently. Returns the number of users; 0: nobody waits.
        """

    async def waiting(self) -> int:
        """The number of users who wait."""
