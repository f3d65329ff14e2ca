"""The protected resources of a deployment, by identifier. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from shared.oauth.errors import InvalidTarget
from shared.oauth.refusal import Reason
from shared.oauth.resource.identifier import BadIdentifier, canonical, comparable
from shared.oauth.resource.own import own_resources
from shared.oauth.resource.record import ProtectedResource

_UNKNOWN = "resource names no API that this client may use"


@dataclass(frozen=True, slots=True)
class ResourceRegistry:
    """Every protected resource by its key: the registered ones, and this server's own."""

    by_key: Mapping[str, ProtectedResource]

    @classmethod
    def of(cls, issuer: str, registered: Iterable[ProtectedResource]) -> Self:
        return cls({resource.key: resource for resource in (*registered, *own_resources(issuer))})

    @property
    def has_registered(self) -> bool:
        """Whether any resource is registered, beside this server's own."""
        return any(not resource.is_own for resource in self.by_key.values())

    @property
    def api_scopes(self) -> frozenset[str]:
        """The scopes of the registered resources."""
        registered = (each for each in self.by_key.values() if not each.is_own)
        return frozenset(scope for each in registered for scope in each.scopes)

    def available_to(self, client_id: str) -> tuple[str, ...]:
        """The keys of the resources that the client may request."""
        return tuple(key for key, each in self.by_key.items() if each.is_available_to(client_id))

    def named(self, identifiers: Iterable[str], client_id: str) -> tuple[ProtectedResource, ...]:
        """The resources that a request of the client names, each once (RFC 8707 §2).

        Raises InvalidTarget if one of them is malformed, unknown or not available to the client.
        """
        by_key: dict[str, ProtectedResource] = {}
        for identifier in identifiers:
            try:
                key = canonical(identifier)
            except BadIdentifier as fault:
                raise InvalidTarget(f"resource: {fault}") from None
            by_key[key] = self._available(key, client_id)
        return tuple(by_key.values())

    def granted(self, keys: Iterable[str], client_id: str) -> tuple[ProtectedResource, ...]:
        """The resources of a grant. Raises InvalidTarget if one was deleted or is no longer available."""
        return tuple(self._available(key, client_id) for key in keys)

    def introspectable_by(self, client_id: str, aud: Iterable[str]) -> bool:
        """Whether the client introspects tokens for a resource that is among the audiences."""
        resources = (self.by_key.get(comparable(audience)) for audience in aud)
        return any(client_id in each.introspection_clients for each in resources if each)

    def _available(self, key: str, client_id: str) -> ProtectedResource:
        resource = self.by_key.get(key)
        if resource is None or not resource.is_available_to(client_id):
            raise InvalidTarget(_UNKNOWN, detail=Reason.RESOURCE)
        return resource
