"""All protected resources in memory, kept fresh by `Watch`."""

import time
from collections.abc import Iterable

from shared.live.watch import Watch
from shared.oauth.resource.identifier import comparable
from shared.oauth.resource.registry import ResourceRegistry
from shared.oauth.supported import SCOPES
from shared.store import Change, ProtectedResources

ASKS_EVERY = 0.2  # seconds between two polls for unknown identifiers


class ResourceCache:
    """The registry of protected resources, reloaded when a resource changes."""

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
        """The registry as last loaded, for requests that have waited for `Watch` to find their client."""
        return self._known

    async def naming(self, identifiers: Iterable[str]) -> ResourceRegistry:
        """As `known`, but an unknown identifier may be new: then changes are polled first, at a limited rate.

        Raises Unavailable.
        """
        await self._ask_if(any(comparable(each) not in self._known.by_key for each in identifiers))
        return self._known

    async def api_scopes(self, requested: Iterable[str]) -> frozenset[str]:
        """The scopes of registered APIs; a *requested* one may be new, as in `naming`. Raises Unavailable."""
        await self._ask_if(not self._known.api_scopes.union(SCOPES).issuperset(requested))
        return self._known.api_scopes

    async def _ask_if(self, is_new: bool) -> None:
        if is_new and time.monotonic() - self._asked_at >= ASKS_EVERY:
            self._asked_at = time.monotonic()
            await self._watch.ask()
