"""The target of an access token: its resources, and the form that they require (RFC 8707). Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.model import Scope
from shared.oauth.authentication_methods import ACR_VALUES, is_at_least, meet, methods_of
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidScope, InvalidTarget
from shared.oauth.resource.identifier import comparable
from shared.oauth.resource.own import PROTOCOL_SCOPES
from shared.oauth.resource.record import ProtectedResource

Resources = tuple[ProtectedResource, ...]


@dataclass(frozen=True, slots=True)
class AccessTokenTarget:
    """The audiences of an access token and its form. `lifetime`: None is the deployment's."""

    aud: tuple[str, ...]
    access_token_format: str
    lifetime: timedelta | None
    signing_alg: str | None = None

    @classmethod
    def of_client(cls, client: Client, issuer: str) -> "AccessTokenTarget":
        """The target if no resource is named: the issuer and the client's audience."""
        aud = (issuer, *client.audience)
        return cls(aud, client.access_token_format, client.access_token_lifetime)

    @classmethod
    def of(cls, client: Client, issuer: str, resources: Resources) -> "AccessTokenTarget":
        """The target of a token for *resources*; if there are none, as `of_client`.

        Raises InvalidTarget if they require tokens of different forms, and so each a token of its own.
        """
        if not resources:
            return cls.of_client(client, issuer)
        target, *others = [cls._of_one(client, resource) for resource in resources]
        for other in others:
            target = target._shared_with(other)
        return target

    @classmethod
    def _of_one(cls, client: Client, resource: ProtectedResource) -> "AccessTokenTarget":
        return cls(
            (resource.resource,),
            resource.access_token_format or client.access_token_format,
            resource.access_token_lifetime or client.access_token_lifetime,
            resource.access_token_signing_alg,
        )

    def _shared_with(self, other: "AccessTokenTarget") -> "AccessTokenTarget":
        """The target of one token for both, which ends with the sooner of them."""
        is_signed_alike = self.access_token_format != "jwt" or self.signing_alg == other.signing_alg
        if self.access_token_format != other.access_token_format or not is_signed_alike:
            raise InvalidTarget("these resources need different access tokens: name one at a time")
        lifetimes = [each.lifetime for each in (self, other) if each.lifetime]
        return replace(self, aud=(*self.aud, *other.aud), lifetime=min(lifetimes, default=None))


def is_default_audience(client: Client, issuer: str, resources: Resources) -> bool:
    """Whether a token without named resources has each of *resources* as an audience anyway."""
    keys = {comparable(audience) for audience in (issuer, *client.audience)}
    return all(each.key in keys for each in resources)


def chosen(named: Resources, granted: Resources, *, is_default: bool) -> Resources:
    """The resources of a token, among those *granted* (RFC 8707 §2.2). Empty: the client's default audience.

    *is_default*: `is_default_audience` of *named*. Raises InvalidTarget.
    """
    if not granted:
        if is_default:
            return named
        raise InvalidTarget("resource is not among those that were granted")
    if not named and len(granted) > 1:
        # RFC 8707 §3: one resource could replay a token for several resources at another one.
        raise InvalidTarget("several resources were granted: name one of them")
    if {each.key for each in named} - {each.key for each in granted}:
        raise InvalidTarget("resource is not among those that were granted")
    return named or granted


def accept(resources: Iterable[ProtectedResource], amr: tuple[str, ...]) -> bool:
    """Whether all resources accept a user who authenticated by these methods."""
    methods = methods_of(amr)
    return all(meet(methods, each.acr_values) for each in resources)


def check_acr(resources: Iterable[ProtectedResource], amr: tuple[str, ...]) -> None:
    """Raises InvalidTarget if a resource requires a stronger sign-in than the grant's."""
    if not accept(resources, amr):
        raise InvalidTarget("the resource requires another sign-in: start again with its acr_values")


def registered_scope(client: Client, resources: Resources) -> Scope:
    """The scope that a client may name, for a user who decides about it.

    That of a client that describes itself also has the scopes of the APIs that it names: its users are asked.
    """
    if not client.is_self_described:
        return client.scope
    of_apis = (scope for each in resources if not each.is_own for scope in each.scopes)
    return tuple(dict.fromkeys((*client.scope, *of_apis)))


def scope_at(scope: Scope, resources: Resources) -> Scope:
    """The part of a scope for *resources*: their scopes and the protocol's. Without resources, all of it."""
    if not resources:
        return scope
    return tuple([token for token in scope if token in PROTOCOL_SCOPES or owners(token, resources)])


def requested_scope_at(scope: Scope, resources: Resources, *, is_named: bool) -> Scope:
    """As `scope_at`, for a scope that a request names. Raises InvalidScope if nothing is left of it."""
    counting = scope_at(scope, resources)
    if is_named and scope and not counting:
        raise InvalidScope("no part of the scope belongs to a named resource")
    return counting


def owners(scope_token: str, resources: Sequence[ProtectedResource]) -> Resources:
    """The resources among *resources* that a scope-token belongs to."""
    return tuple(each for each in resources if scope_token in each.scopes)


def required_acr(resources: Iterable[ProtectedResource], requested: Collection[str]) -> frozenset[str] | None:
    """The values of which one must be reached, if the client *requested* some; empty: any.

    A stronger value meets a resource's demand. None: no value is acceptable to the client and all resources.
    """
    required = frozenset(requested)
    for each in resources:
        if each.acr_values:
            candidates = required or ACR_VALUES
            required = frozenset(acr for acr in candidates if is_at_least(acr, each.acr_values))
            if not required:
                return None
    return required
