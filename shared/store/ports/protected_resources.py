"""Ports: protected resources, which clients request access tokens for."""

from collections.abc import Sequence
from typing import Protocol

from shared.model import Author
from shared.oauth.resource.record import ProtectedResource


class ProtectedResources(Protocol):
    """Registered resources. PostgreSQL; `shared.live.resource_cache` keeps them all in memory.

    *by*: the author of the change in the audit row; None is an operator at the command line.
    """

    async def every(self) -> Sequence[ProtectedResource]:
        """All of them, by name."""

    async def list(self, after: str | None, limit: int) -> Sequence[ProtectedResource]:
        """At most *limit* of them by name, ignoring case, after that name."""

    async def find(self, name: str) -> ProtectedResource | None:
        """The resource of that name, ignoring case."""

    async def add(self, resource: ProtectedResource, *, by: Author | None = None) -> None:
        """Raises Taken: the name or the identifier is in use. Raises Full: there are too many."""

    async def replace(self, resource: ProtectedResource, *, by: Author | None = None) -> None:
        """Write the resource of this identifier if the stored version is `resource.version`.

        Raises Stale, and Taken if another resource has the name.
        """

    async def delete(self, resource: ProtectedResource, *, by: Author | None = None) -> bool:
        """False: there is none of this identifier and version."""
