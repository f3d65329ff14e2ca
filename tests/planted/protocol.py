"""Planted defects of reading requests and of validating registrations."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from services.authorization.request import parameter_source as intake
from services.authorization.request import request_object, validation
from services.authorization.request.parameters import claims
from services.cli import output
from services.client_registry.registration import configure, response, software_statement
from shared.codec import json_text
from shared.model import Json
from shared.oauth.client.record import Client
from shared.oauth.tokens import jwt
from shared.operations import clients
from shared.paths import TOKEN
from shared.server import resources


def _parsed_without_limits(data: bytes) -> Any:
    return json.loads(data)


def claims_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the `claims` parameter to any depth."""
    monkeypatch.setattr(claims, "parse_object", orjson.loads)


def jwts_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse the parts of a JWT to any depth, with lone surrogates and repeated members."""
    monkeypatch.setattr(jwt, "parse_object", _parsed_without_limits)


def depth_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every JSON text nest as deeply as it likes."""
    monkeypatch.setattr(json_text, "MAX_DEPTH", 10_000)


def any_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a JWT with any `typ`."""
    for module in (request_object, software_statement):
        monkeypatch.setattr(module, "is_of_type", lambda typ, accepted: True)


def no_token_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the registration access token out of the responses to reading and changing a client."""

    def information(
        client: Client, issuer: str, *, client_secret: str | None = None, **_: Any
    ) -> dict[str, Any]:
        return response.client_information(client, issuer, client_secret=client_secret)

    monkeypatch.setattr(configure, "client_information", information)


def unsigned_only_where_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take an omitted `request_object_signing_alg` for every algorithm but `none`."""
    header_of = request_object.header_of

    def checked(token: str, client: Client, *, is_unsigned_allowed: bool) -> jwt.Header:
        is_registered = client.request_object_signing_alg == "none"
        return header_of(token, client, is_unsigned_allowed=is_unsigned_allowed and is_registered)

    monkeypatch.setattr(intake, "header_of", checked)


def token_endpoint_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let assertions address the issuer and the token endpoint, whichever endpoint is called."""
    monkeypatch.setattr(resources, "assertion_audiences", lambda issuer, _: (issuer, TOKEN.at(issuer)))


def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Release every claim requested by name to a client that skips consent."""
    monkeypatch.setattr(validation, "within_registered_scope", lambda claims, client: claims)


def defaults_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore `default_acr_values` and `acr_values`."""
    monkeypatch.setattr(validation, "_acr_values", lambda parameters, client: frozenset())


def nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep values derived from a client's authentication method when its operator changes the method."""
    monkeypatch.setattr(clients, "PUBLIC_DEFAULTS", {})


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
