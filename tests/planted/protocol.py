"""Mistakes in reading what clients and strangers send, and in judging what they register."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from services.authorization import claims_parameter, intake, request, request_object
from services.cli import output
from services.client_registry import configure, metadata, software_statement
from services.token import app
from shared.admin import clients
from shared.model import Client, Json
from shared.oauth import (
    claims,
    client_auth,
    client_jwks,
    client_metadata,
    client_policy,
    client_rules,
    json_text,
    jwt,
    registered_uri,
)
from shared.oauth.uri_schemes import ACTED_ON_BY_BROWSERS, OWNED_BY_PROTOCOLS
from shared.paths import TOKEN


def _parsed_without_limits(data: bytes) -> Any:
    return json.loads(data)


def claims_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the `claims` parameter to any depth."""
    monkeypatch.setattr(claims_parameter, "parse_object", orjson.loads)


def jwts_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the parts of a JWT to any depth, with lone surrogates and repeated members."""
    monkeypatch.setattr(jwt, "parse_object", _parsed_without_limits)


def depth_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every JSON text nest as deeply as it likes."""
    monkeypatch.setattr(json_text, "MAX_DEPTH", 10_000)


def any_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a JWT whatever its `typ` says that it was made for."""
    for module in (client_auth, request_object, software_statement):
        monkeypatch.setattr(module, "is_of_type", lambda typ, accepted: True)


def no_key_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse a whole JWK Set for one key that is not understood."""
    check = client_jwks._check

    def checked(jwk: object) -> None:
        try:
            check(jwk)
        except client_jwks.UnknownKey as fault:
            raise client_jwks.BadKey(str(fault)) from None

    monkeypatch.setattr(client_jwks, "_check", checked)


def policy_of_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the policy of the record as it was, whatever the client makes of itself."""
    monkeypatch.setattr(client_rules, "with_policy", lambda changed, current: changed)


def strangers_have_any_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client that registers itself have every private-use scheme."""
    monkeypatch.setattr(client_policy, "is_for_strangers", lambda scheme: True)


def programs_may_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deny no schemes but those of browsers and of protocols."""
    denied = ACTED_ON_BY_BROWSERS | OWNED_BY_PROTOCOLS
    monkeypatch.setattr(registered_uri, "is_denied", lambda scheme: scheme in denied)


def no_token_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the registration access token out of what reading and changing a client answer."""

    def information(
        client: Client, issuer: str, client_secret: str | None = None, **_: Any
    ) -> dict[str, Any]:
        return metadata.client_information(client, issuer, client_secret)

    monkeypatch.setattr(configure, "client_information", information)


def unsigned_only_where_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take an omitted `request_object_signing_alg` for every algorithm but `none`."""
    header_of = request_object.header_of

    def checked(token: str, client: Client, *, is_unsigned_allowed: bool) -> jwt.Header:
        is_registered = client.request_object_signing_alg == "none"
        return header_of(token, client, is_unsigned_allowed=is_unsigned_allowed and is_registered)

    monkeypatch.setattr(intake, "header_of", checked)


def two_names_of_an_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the former name of an audience as it is."""
    monkeypatch.setattr(client_metadata, "renamed_audience", lambda value: value)


def token_endpoint_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let assertions address the issuer and the token endpoint, whichever endpoint is called."""
    monkeypatch.setattr(app, "assertion_audiences", lambda issuer, _: (issuer, TOKEN.at(issuer)))


def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Release every claim asked for by name to a client for which nobody is asked."""
    monkeypatch.setattr(request, "without_unasked", lambda claims, client: claims)


def defaults_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore `default_acr_values` and `acr_values`."""
    monkeypatch.setattr(request, "_acr_values", lambda parameters, client: frozenset())


def claims_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out every claim that is no text, unless the standard says that it is something else."""

    def deliverable(name: str, value: object, *, is_mapped: bool) -> object:
        return value if claims._SHAPES.get(name, claims._is_text)(value) else None

    monkeypatch.setattr(claims, "_deliverable", deliverable)


def nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what followed from the method of a client when its operator changes the method."""
    monkeypatch.setattr(clients, "CONFIDENTIAL_DEFAULTS", {})


def lists_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a whole list before any of it is printed."""
    show_each = output.show_each

    async def collected(records: AsyncIterator[Json], columns: Sequence[str], is_json: bool) -> None:
        whole = [record async for record in records]

        async def each() -> AsyncIterator[Json]:
            for record in whole:
                yield record

        await show_each(each(), columns, is_json)

    monkeypatch.setattr(output, "show_each", collected)
