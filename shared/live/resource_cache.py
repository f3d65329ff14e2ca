"""The protected resources in memory: all of them, and as fresh as `Watch` says."""

from shared.live.watch import Watch
from shared.oauth.resource.registry import ResourceRegistry
from shared.store import Change, ProtectedResources


class ResourceCache:
    """The registry of protected resources, loaded again when the change counter says so."""

    def __init__(self, resources: ProtectedResources, watch: Watch, issuer: str) -> None:
        self._resources = resources
        self._issuer = issuer
        self._is_loaded = False
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
