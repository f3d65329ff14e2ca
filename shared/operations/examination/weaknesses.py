"""The weaknesses of a client: choices that are allowed, but safer otherwise. Pure.

Each has the member of the client's metadata that it lies in, and a remedy with the command to run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.config.settings import Settings
from shared.oauth.client.faults import grant_types_for
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_insecure, is_loopback, is_private_use
from shared.oauth.supported import MEMBERSHIPS
from shared.operations.client_commands import client_command, update_command
from shared.operations.examination.warnings import insecure_redirects

_IDENTITY = frozenset({"openid", "profile", "email", *MEMBERSHIPS})
"""The scopes that tell an application who has signed in, and nothing beyond."""

_LIFETIMES = {
    "access_token_lifetime": "access_token_lifetime",
    "id_token_lifetime": "id_token_lifetime",
    "authorization_code_lifetime": "authorization_code_lifetime",
    "refresh_token_idle_lifetime": "refresh_token_lifetime",
}
"""The setting that each member replaces."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """The member that it lies in, a sentence about it, and what makes it safer."""

    member: str
    sentence: str
    remedy: str


def weaknesses(client: Client, settings: Settings, unused_since: datetime | None) -> Iterator[Weakness]:
    """Every weakness, the gravest first. *unused_since*: None if the client was used lately."""
    for rule in _RULES:
        yield from rule(client)
    yield from _lifetimes(client, settings)
    if unused_since and not client.resource_identifiers:  # those of an API get no tokens
        yield Weakness(
            "client_id",
            f"has received no token since {unused_since:%Y-%m-%d}, but its credentials work",
            f"If nobody needs it, {client_command(client, 'disable')}, and delete it later.",
        )


def _insecure_redirects(client: Client) -> Iterator[Weakness]:
    uris = [uri for _, uri in insecure_redirects(client)]
    if uris:
        secured = {
            member: [_secured(uri) for uri in getattr(client, member)]
            for member in ("redirect_uris", "post_logout_redirect_uris")
        }
        command = update_command(client, **secured, allow_insecure_redirects=False)
        yield Weakness(
            "redirect_uris",
            f"has {' '.join(uris)}: whoever is on the way reads codes there, and changes answers",
            f"Serve the application over https and register that: {command}.",
        )
    elif client.allow_insecure_redirects:
        yield Weakness(
            "allow_insecure_redirects",
            "is on, though no redirect URI needs it",
            f"Switch it off: {update_command(client, allow_insecure_redirects=False)}.",
        )


def _secured(uri: str) -> str:
    return uri.replace("http", "https", 1) if is_insecure(uri) else uri


def _implicit(client: Client) -> Iterator[Weakness]:
    """RFC 9700 §2.1.2."""
    tokens = [each for each in client.response_types if "token" in each.split()]
    if tokens:
        safe = [each for each in client.response_types if each not in tokens] or ["code"]
        others = set(client.grant_types) - {"implicit"}
        grant_types = sorted(others | grant_types_for(safe))
        command = update_command(client, response_types=safe, grant_types=grant_types)
        yield Weakness(
            "response_types",
            f"has {', '.join(tokens)}: access tokens pass through the URLs of browsers",
            f"Let the application use the response type code, then: {command}.",
        )


def _unproven_consent(client: Client) -> Iterator[Weakness]:
    """RFC 8252 §8.6: any program of the user can ask in the name of such a client."""
    member = "skip_consent" if client.skip_consent else "remember_consent"
    if client.is_public and getattr(client, member):
        open_to_all = [uri for uri in client.redirect_uris if is_loopback(uri) or is_private_use(uri)]
        if open_to_all:
            command = update_command(client, skip_consent=False, remember_consent=False)
            yield Weakness(
                member,
                "is on, so any program of a user's device gets tokens in the name of this client unasked",
                f"Let users consent each time: {command}.",
            )


def _wide_consent(client: Client) -> Iterator[Weakness]:
    wide = [scope for scope in client.scope if scope not in _IDENTITY]
    if client.skip_consent and wide:
        yield Weakness(
            "skip_consent",
            f"is on, so users are not asked about {' '.join(wide)} either",
            f"Leave out scopes that it does not need, or ask: {update_command(client, skip_consent=False)}.",
        )


def _pkce(client: Client) -> Iterator[Weakness]:
    """RFC 9700 §2.1.1."""
    if "authorization_code" in client.grant_types and not client.require_pkce:
        yield Weakness(
            "require_pkce",
            "is off, so a code that others get hold of can be injected into another sign-in",
            f"Enable PKCE with S256 in the application, then: {update_command(client, require_pkce=True)}.",
        )


def _rotation(client: Client) -> Iterator[Weakness]:
    """RFC 9700 §2.2.2."""
    if client.is_public and "refresh_token" in client.grant_types and not client.refresh_token_rotation:
        yield Weakness(
            "refresh_token_rotation",
            "is off for a public client, so a stolen refresh token is never noticed",
            f"Replace refresh tokens at each use: {update_command(client, refresh_token_rotation=True)}.",
        )


def _symmetric_signing(client: Client) -> Iterator[Weakness]:
    if client.token_endpoint_auth_method == "client_secret_jwt":
        yield Weakness(
            "token_endpoint_auth_method",
            "is client_secret_jwt: the key that signs is stored here too, so it can be stolen here",
            "Let the application sign with its own private key (private_key_jwt), and register its jwks_uri.",
        )


def _assertion_audience(client: Client) -> Iterator[Weakness]:
    """draft-ietf-oauth-rfc7523bis §4: the audience of an assertion is the issuer alone."""
    methods = ("private_key_jwt", "client_secret_jwt")
    if client.token_endpoint_auth_method in methods and client.assertion_audience != "issuer":
        command = update_command(client, assertion_audience="issuer")
        yield Weakness(
            "assertion_audience",
            "accepts endpoints, so another server may have lured the client into signing for this one",
            f"Let the application name the issuer as the audience, then: {command}.",
        )


def _lifetimes(client: Client, settings: Settings) -> Iterator[Weakness]:
    for member, setting in _LIFETIMES.items():
        own, usual = getattr(client, member), getattr(settings, setting)
        if own and own > usual:
            name = f"OSTIARY_{setting.upper()}"
            yield Weakness(
                member,
                f"is {own.total_seconds():.0f} seconds, longer than {name} ({usual.total_seconds():.0f})",
                f"Return to the setting: {update_command(client, **{member: None})}.",
            )


_RULES: tuple[Callable[[Client], Iterator[Weakness]], ...] = (
    _insecure_redirects,
    _implicit,
    _unproven_consent,
    _rotation,
    _wide_consent,
    _pkce,
    _symmetric_signing,
    _assertion_audience,
)
