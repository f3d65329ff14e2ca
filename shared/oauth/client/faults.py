"""Checks of a whole client against what the deployment supports. They report every fault."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.oauth import supported
from shared.oauth.claims import has_shape_of
from shared.oauth.client.jwks import can_verify, jwks_faults
from shared.oauth.client.metadata.kinds import Constant
from shared.oauth.client.metadata.members import LONGEST_LIFETIMES, MEMBERS
from shared.oauth.client.metadata.profiles import refused_members
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import (
    https_or_loopback_fault,
    origin_of,
    redirect_uri_fault,
    uri_fault,
)
from shared.oauth.client.responses import response_faults
from shared.oauth.fetch_target import target_fault
from shared.oauth.subject import sector_of

_RULES = tuple((name, member.rule) for name, member in MEMBERS.items() if member.rule)

Fault = tuple[str, str]
"""The path of a member, and the rest of a sentence about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a deployment lets its clients register."""

    response_types: tuple[str, ...]
    signing_algorithms: tuple[str, ...]
    client_credentials: bool = True
    fetch: tuple[str, ...] = ()  # `host:port`s that may be private
    unsigned_request_objects: bool = False

    @property
    def grant_types(self) -> tuple[str, ...]:
        implicit = ("implicit",) if self.response_types != ("code",) else ()
        return tuple(
            grant_type
            for grant_type in (*supported.GRANT_TYPES, *implicit)
            if self.client_credentials or grant_type != "client_credentials"
        )


def grant_types_for(response_types: Sequence[str]) -> set[str]:
    """The grant types that these response types need (RFC 7591 §2.1)."""
    parts = {part for response_type in response_types for part in response_type.split()}
    by_part = {"code": "authorization_code", "id_token": "implicit", "token": "implicit"}
    return {by_part[part] for part in parts if part in by_part}


def client_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    """Every reason to reject *client*, beyond the validation of single members."""
    yield from _type_faults(client, allowed)
    yield from _redirect_faults(client)
    yield from _value_faults(client)
    yield from _logout_faults(client, allowed)
    yield from _authentication_faults(client, allowed)
    yield from response_faults(client, allowed.signing_algorithms)
    yield from _request_object_faults(client, allowed)
    yield from _sector_faults(client, allowed)
    yield from _lifetime_faults(client)
    yield from _key_faults(client)
    yield from _claim_faults(client)
    for name in refused_members(client):
        yield name, f"has a value that is not for the profile {client.profile}"


def _claim_faults(client: Client) -> Iterator[Fault]:
    """Reject claims that could not be delivered as configured."""
    for index, name in enumerate(client.id_token_claims):
        if name in supported.SERVER_CLAIMS and name not in supported.CLAIMS:
            yield f"id_token_claims.{index}", f"is {name}, which the server alone says"
    for name, source in client.claims_mapping.items():
        if name in supported.SERVER_CLAIMS:
            yield f"claims_mapping.{name}", "is a claim that the server alone says"
        elif not has_shape_of(name, source):
            taken = "a constant" if isinstance(source, Constant) else source
            yield f"claims_mapping.{name}", f"takes {taken}, which is of another type"


def _key_faults(client: Client) -> Iterator[Fault]:
    if client.jwks is None:
        return
    faults = [(f"jwks.{path}", fault) for path, fault in jwks_faults(client.jwks)]
    yield from faults
    alg = client.request_object_signing_alg
    signs_requests = client.require_signed_request_object or alg not in (None, supported.UNSIGNED)
    needs_key = signs_requests or client.token_endpoint_auth_method == "private_key_jwt"
    if needs_key and not faults and not can_verify(client.jwks, supported.PUBLIC_KEY_ALGORITHMS):
        yield "jwks", "has no supported key that verifies a signature, and the client needs one"


def _type_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    for index, grant_type in enumerate(client.grant_types):
        if grant_type not in allowed.grant_types:
            yield f"grant_types.{index}", "is not supported by this server"
    allowed_types = {" ".join(sorted(response_type.split())) for response_type in allowed.response_types}
    for index, response_type in enumerate(client.response_types):
        if response_type not in allowed_types:
            yield f"response_types.{index}", "is not supported by this server"
    for grant_type in sorted(grant_types_for(client.response_types) - set(client.grant_types)):
        yield "grant_types", f"lacks {grant_type}, which the response_types need"
    if "authorization_code" in client.grant_types and not client.response_types:
        yield "response_types", "lacks code, which the grant_types need"
    if client.grant_types == ("refresh_token",):
        yield "grant_types", "has no grant that a refresh token could come from"


def _redirect_faults(client: Client) -> Iterator[Fault]:
    if not client.redirect_uris and {"authorization_code", "implicit"}.intersection(client.grant_types):
        yield "redirect_uris", "is missing or empty"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for index, uri in enumerate(getattr(client, name)):
            if fault := redirect_uri_fault(
                uri, client.application_type, is_insecure_allowed=client.allow_insecure_redirects
            ):
                yield f"{name}.{index}", fault


def _value_faults(client: Client) -> Iterator[Fault]:
    """The rule that each member declares for its own value."""
    for name, rule in _RULES:
        if (value := getattr(client, name)) is not None and (fault := rule(value)):
            yield name, fault


def _lifetime_faults(client: Client) -> Iterator[Fault]:
    for name, longest in LONGEST_LIFETIMES.items():
        if (lifetime := getattr(client, name)) and lifetime > longest:
            yield name, f"is longer than {int(longest.total_seconds())} seconds"


def _logout_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    """Back-Channel Logout 1.0 §2.2 and Front-Channel Logout 1.0 §2."""
    if (uri := client.backchannel_logout_uri) is not None and (
        fault := https_or_loopback_fault(uri) or target_fault(uri, allowed.fetch)
    ):
        yield "backchannel_logout_uri", fault
    if (uri := client.frontchannel_logout_uri) is not None:
        if fault := https_or_loopback_fault(uri):
            yield "frontchannel_logout_uri", fault
        elif origin_of(uri) not in {origin_of(redirect_uri) for redirect_uri in client.redirect_uris}:
            yield "frontchannel_logout_uri", "has not the scheme, host and port of one of the redirect_uris"


def _authentication_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    method = client.token_endpoint_auth_method
    if method not in supported.TOKEN_ENDPOINT_AUTH_METHODS:
        yield "token_endpoint_auth_method", "is not supported by this server"
    if client.allow_client_secret_post and method != "client_secret_basic":
        yield "allow_client_secret_post", f"has no meaning with {method}"
    if method == "private_key_jwt" and client.jwks is None and client.jwks_uri is None:
        yield "jwks", "and jwks_uri are missing: private_key_jwt needs one of them"
    if client.jwks is not None and client.jwks_uri is not None:
        yield "jwks_uri", "stands beside jwks: one of them is enough (RFC 7591 section 2)"
    if client.jwks_uri is not None and (fault := target_fault(client.jwks_uri, allowed.fetch)):
        yield "jwks_uri", fault
    if method == "none" and "client_credentials" in client.grant_types:
        yield "grant_types", "has client_credentials, which a public client cannot use (RFC 6749 section 4.4)"
    alg = client.token_endpoint_auth_signing_alg
    if alg is not None and alg not in supported.assertion_algorithms(method):
        yield "token_endpoint_auth_signing_alg", "is not supported by this server"


def _request_object_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    unsigned = (supported.UNSIGNED,) if allowed.unsigned_request_objects else ()
    alg = client.request_object_signing_alg
    if alg is not None and alg not in (*supported.REQUEST_OBJECT_ALGORITHMS, *unsigned):
        yield "request_object_signing_alg", "is not supported by this server"
    if alg == supported.UNSIGNED and client.require_signed_request_object:
        yield "request_object_signing_alg", "is none, though the client requires signed request objects"
    for index, uri in enumerate(client.request_uris):
        if fault := target_fault(
            uri.partition("#")[0], allowed.fetch
        ):  # Core 1.0 §6.2: the fragment may be a hash
            yield f"request_uris.{index}", fault


def _sector_faults(client: Client, allowed: Capabilities) -> Iterator[Fault]:
    if (uri := client.sector_identifier_uri) is not None:
        if fault := target_fault(uri, allowed.fetch):
            yield "sector_identifier_uri", fault
    elif client.subject_type == "pairwise" and _are_uris(client.redirect_uris) and sector_of(client) is None:
        yield "sector_identifier_uri", "is missing: the redirect_uris are not of one host (Core 1.0 8.1)"


def _are_uris(uris: Iterable[str]) -> bool:
    """Whether each is a URI with a host to compare. `_redirect_faults` reports those that are not."""
    return all(uri_fault(uri) is None for uri in uris)
