"""The protected resources in memory: all of them, and as fresh as `Watch` says."""

import time
from collections.abc import Iterable

from shared.live.watch import Watch
from shared.oauth.resource.identifier import comparable
from shared.oauth.resource.registry import ResourceRegistry
from shared.store import Change, ProtectedResources

ASKS_EVERY = 0.2  # seconds, for names that are unknown


class ResourceCache:
    """The registry of protected resources, loaded again when the change counter says so."""

    def __init__(self, resources: ProtectedResources, watch: Watch, issuer: str) -> None:
        self._resources = resources
        self._watch = watch
        self._issuer = issuer
        self._is_loaded = False
        self._asked_at = float("-inf")
        self._known = ResourceRegistry.of(issuer, ())
        watch.add(self)

    async def changed(self, change: Change) -> None:
        if change.has_resources or change.is_rewound or not self._is_loaded:
            self._known = ResourceRegistry.of(self._issuer, await self._resources.every())
            self._is_loaded = True

    @property
    def known(self) -> ResourceRegistry:
        """The registry as last seen: for requests that have found their client, and so waited for `Watch`."""
        return self._known

    async def naming(self, identifiers: Iterable[str]) -> ResourceRegistry:
        """As `known`; an identifier that is not in it may be new, so news are asked for first, but not often.

        Raises Unavailable.
        """
        is_new = any(comparable(each) not in self._known.by_key for each in identifiers)
        if is_new and time.monotonic() - self._asked_at >= ASKS_EVERY:
            self._asked_at = time.monotonic()
            await self._watch.ask()
        return self._known
