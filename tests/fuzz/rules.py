"""The parsers without servers: an input must be accepted, or refused with an error of the protocol."""

import json
from datetime import datetime
from typing import Any

from services.authorization.request.request_object import header_of, read_object, unsigned_claims
from services.authorization.request.validation import Deployment, read_request
from services.authorization.response.callback import Callback
from services.client_registry.registration.request import read_body
from services.client_registry.registration.response import client_information
from shared.oauth.client.assertion import check_assertion, check_header, verify_with_secrets
from shared.oauth.client.authentication import Assertion, check_secret, presented
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import from_metadata, to_metadata
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.rules import read_registration
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.oauth.parameters import Parameters, parse
from shared.oauth.pkce import check_verifier
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.resource.registry import ResourceRegistry
from shared.oauth.scope import machine_scope, parse_scope
from shared.oauth.supported import prompt_values
from shared.oauth.tokens.handle import Kind, is_handle
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import KeySet
from shared.oauth.tokens.refresh_token import parse_refresh_token
from shared.store.codecs.text import is_storable
from tests.builders import SECRET, a_client, a_public_client
from tests.deployment import ISSUER
from tests.fuzz.inputs import NATIVE, SIGNING, UNSIGNED, WEB, Input, Parser

RESPONSE_TYPES = ("code", "code id_token", "code id_token token", "code token", "id_token", "id_token token")


def clients() -> tuple[Client, ...]:
    """The clients that inputs come from."""
    every = {
        "response_types": RESPONSE_TYPES,
        "grant_types": ("authorization_code", "implicit", "refresh_token"),
    }
    signing = tuple(ClientSecret(secret.hash, value=SECRET) for secret in a_client().secrets)
    return (
        a_client(WEB, response_types=RESPONSE_TYPES),
        a_public_client(NATIVE, redirect_uris=("http://127.0.0.1/cb",), application_type="native"),
        a_client(SIGNING, token_endpoint_auth_method="client_secret_jwt", secrets=signing),
        a_client(UNSIGNED, request_object_signing_alg="none", **every),
    )


_CLIENTS = {client.client_id: client for client in clients()}
_DEPLOYMENT = Deployment(ISSUER, RESPONSE_TYPES, prompt_values(may_sign_up=True))
_RESOURCES = ResourceRegistry.of(ISSUER, (ProtectedResource(resource="https://api.example.org", name="API"),))
_ALLOWED = Capabilities(response_types=RESPONSE_TYPES, signing_algorithms=("RS256", "ES256", "EdDSA"))


def _sign(answer: Any) -> str:
    return json.dumps(answer)


def _read_authorization(given: Input, now: datetime) -> None:
    parameters = parse(given.content)
    client = _CLIENTS.get(parameters.require("client_id"))
    if client is None:
        raise InvalidRequest("unknown")
    counts = _inside(parameters.require("request"), client, now) if "request" in parameters else parameters
    callback = Callback.of(counts, client, ISSUER, _sign)
    try:
        request = read_request(counts, client, _DEPLOYMENT, KeySet(), _RESOURCES)
    except OAuthError as error:
        callback.link(error.parameters())
        raise
    callback.link({"code": "ac_" + "A" * 43})
    assert all(
        is_storable(text) for text in (*request.consent_scope, request.nonce or "", request.login_hint or "")
    )


def _inside(token: str, client: Client, now: datetime) -> Parameters:
    header_of(token, client, is_unsigned_allowed=True)
    return read_object(unsigned_claims(token), client, ISSUER, now)


def _read_token(given: Input, now: datetime) -> None:
    form = parse(given.content)
    form.refuse_repeated(form.values)
    credentials = presented(given.authorization, form)
    assert "\0" not in credentials.client_id
    client = _CLIENTS.get(credentials.client_id, _CLIENTS[WEB])
    if isinstance(credentials, Assertion):
        _verify(credentials.token, client, now)
    elif secret := getattr(credentials, "secret", None):
        check_secret(client, secret, now)
    match form.require("grant_type"):
        case "authorization_code":
            if is_handle(Kind.AUTHORIZATION_CODE, form.require("code")):
                check_verifier("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", form.unique("code_verifier"))
        case "refresh_token":
            parse_refresh_token(form.require("refresh_token"))
            parse_scope(form.unique("scope") or "openid")
        case "client_credentials":
            machine_scope(parse_scope(form.unique("scope") or "openid"), client.scope)


def _verify(token: str, client: Client, now: datetime) -> None:
    try:
        check_header(token, client)
        claims = verify_with_secrets(token, client, now)
    except BadJwt:
        return
    check_assertion(claims, client, (ISSUER,), now)


def _read_registration(given: Input, _: datetime) -> None:
    members = read_body("application/json", given.content)
    client = read_registration(members, "client", _ALLOWED)
    metadata = to_metadata(client)
    text = json.dumps(metadata, allow_nan=False)
    assert is_storable(text)
    assert from_metadata("client", json.loads(text)).redirect_uris == client.redirect_uris
    json.dumps(client_information(client, ISSUER)).encode()


_READ = {
    Parser.AUTHORIZATION: _read_authorization,
    Parser.TOKEN: _read_token,
    Parser.REGISTRATION: _read_registration,
}


def read(given: Input, now: datetime) -> bool:
    """Whether the input was accepted. False: it was refused. Any other exception is a defect."""
    try:
        _READ[given.parser](given, now)
    except OAuthError:
        return False
    return True
