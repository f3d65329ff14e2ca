"""The warnings about a client, as rules over its record and what the deployment has. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from shared.model import OFFLINE_SCOPES
from shared.oauth.claims import BY_SCOPE
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_insecure
from shared.oauth.supported import MEMBERSHIPS, SCOPES, SERVER_CLAIMS

_OF_EVERY_USER = frozenset({"username", "preferred_username", "updated_at", "displayName", *MEMBERSHIPS})
"""Claims that users have without an operator's doing."""


@dataclass(frozen=True, slots=True)
class ClientWarning:
    """The path of a member, and the rest of a sentence about it that names an alternative."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path} {self.sentence}"

    def members(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, "warning": self.sentence}


def client_warnings(
    client: Client, known_scopes: Collection[str], absent_claims: Collection[str]
) -> Iterator[ClientWarning]:
    """Everything to warn of.

    *known_scopes*: the scopes of this server and of the protected resources. *absent_claims*: those of
    `configured_claims` that no user has.
    """
    yield from _scope_warnings(client, known_scopes)
    yield from _claim_warnings(client, absent_claims)
    for path, _ in insecure_redirects(client):
        yield ClientWarning(
            path,
            "is http on a private network, where others can read the code of a sign-in: use https, or a"
            " loopback address, anywhere but in a test network",
        )


def insecure_redirects(client: Client) -> Iterator[tuple[str, str]]:
    """The path and the value of each redirect URI that is http to another machine."""
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for index, uri in enumerate(getattr(client, name)):
            if is_insecure(uri):
                yield f"{name}.{index}", uri


def configured_claims(client: Client) -> frozenset[str]:
    """The attributes of users that the record names, beyond those of its profile."""
    profile = PROFILES[client.profile]
    in_id_token = {name for name in client.id_token_claims if name not in profile.get("id_token_claims", ())}
    unmapped = in_id_token - {BY_SCOPE} - client.claims_mapping.keys()
    usual = profile.get("claims_mapping", {}).values()
    mapped = {source for source in client.claims_mapping.values() if isinstance(source, str)}
    return frozenset((unmapped | mapped.difference(usual)) - SERVER_CLAIMS - _OF_EVERY_USER)


def _scope_warnings(client: Client, known_scopes: Collection[str]) -> Iterator[ClientWarning]:
    if "refresh_token" not in client.grant_types:
        for scope in client.scope:
            if scope in OFFLINE_SCOPES:
                yield ClientWarning(
                    "scope",
                    f"has {scope}, but the client gets no refresh token: add refresh_token to grant_types, or"
                    f" leave {scope} out",
                )
    unknown = [scope for scope in client.scope if scope not in known_scopes and scope not in SCOPES]
    if unknown:
        yield ClientWarning(
            "scope",
            f"has {' '.join(unknown)}, which is no scope of this server or of a registered API: register the"
            " API with `ostiary resource add`, or leave it out",
        )


def _claim_warnings(client: Client, absent_claims: Collection[str]) -> Iterator[ClientWarning]:
    alternative = "which no user has: give it to users with `ostiary user update NAME --claims FILE`"
    for index, name in enumerate(client.id_token_claims):
        if name not in client.claims_mapping and name in absent_claims:
            yield ClientWarning(f"id_token_claims.{index}", f"is {name}, {alternative}")
    for name, source in client.claims_mapping.items():
        if isinstance(source, str) and source in absent_claims:
            yield ClientWarning(f"claims_mapping.{name}", f"takes {source}, {alternative}")
