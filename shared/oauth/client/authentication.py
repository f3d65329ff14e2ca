"""Client authentication: which credentials a request presents, and whether they are valid.

RFC 6749 §2.3 (secrets), RFC 7521 §4.2 and RFC 7523 §2.2 (assertions, whose content `assertion` checks). Every
invalid credential gets the same `invalid_client` response; the detail is only logged.
"""

import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote_plus

from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidClient, InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason
from shared.oauth.tokens.jwt import BadJwt, unverified_claims

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2

_NO_SECRET = bytes(32)


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A client that identifies itself without proof."""

    methods: ClassVar = ("none",)
    client_id: str


@dataclass(frozen=True, slots=True)
class SecretBasic:
    """A secret in the Authorization header."""

    methods: ClassVar = ("client_secret_basic",)
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretPost:
    """A secret in the body."""

    methods: ClassVar = ("client_secret_post",)
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion (JWT). `client_id` is its claimed, unverified subject."""

    methods: ClassVar = ("private_key_jwt", "client_secret_jwt")
    client_id: str
    token: str = field(repr=False)


Credentials = Anonymous | SecretBasic | SecretPost | Assertion
"""The methods (`token_endpoint_auth_method`) that present each kind of credentials."""


def accepts(client: Client, credentials: Credentials) -> bool:
    """Whether the client may authenticate with credentials of this kind."""
    method = client.token_endpoint_auth_method
    if method in credentials.methods:
        return True
    return (
        isinstance(credentials, SecretPost)
        and method == "client_secret_basic"
        and client.allow_client_secret_post
    )


def refused(detail: str | Detail) -> InvalidClient:
    """The one error for every invalid credential."""
    return InvalidClient("client authentication failed", detail=detail)


def _halves(encoded: str) -> tuple[str, str]:
    try:
        text = binascii.a2b_base64(encoded, strict_mode=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        if "%" in text or "+" in text:  # RFC 6749 §2.3.1: both halves are form-urlencoded
            client_id, secret = (unquote_plus(half, errors="strict") for half in (client_id, secret))
    except ValueError:
        raise refused("the Authorization header is malformed") from None
    if not colon or not client_id or "\0" in client_id or "\0" in secret:
        raise refused("the Authorization header is malformed")
    return client_id, secret


def _basic(authorization: str) -> Anonymous | SecretBasic:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refused("the Authorization header is not Basic")
    client_id, secret = _halves(encoded.strip())
    # Cells' clients send an empty secret if they have none.
    return SecretBasic(client_id, secret) if secret else Anonymous(client_id)


PARAMETERS = ("client_assertion", "client_assertion_type", "client_id", "client_secret")


def _claimed_subject(token: str) -> str:
    """The `sub` of an unverified assertion, which says whose keys verify it."""
    try:
        sub = unverified_claims(token).get("sub")
    except BadJwt:
        raise refused("the assertion is malformed") from None
    if not isinstance(sub, str) or not sub:
        raise refused("the assertion has no sub")
    return sub


def _in_body(form: Parameters) -> Credentials | None:
    if "client_assertion" in form or "client_assertion_type" in form:
        if "client_secret" in form:
            raise InvalidRequest("there is more than one client authentication")
        if form.one("client_assertion_type") != ASSERTION_TYPE:
            raise refused("this client_assertion_type is not supported")
        token = form.require("client_assertion")
        return Assertion(_claimed_subject(token), token)
    if "client_secret" in form:
        return SecretPost(form.require("client_id"), form.require("client_secret"))
    client_id = form.one("client_id")
    return Anonymous(client_id) if client_id else None


def presented(authorization: str | None, form: Parameters) -> Credentials:
    """The credentials of a request, from the Authorization header or from the body.

    Raises InvalidRequest for two kinds of credentials, two identities or a repeated parameter. Raises
    InvalidClient for missing or malformed credentials.
    """
    form.refuse_repeated(PARAMETERS)
    in_body = _in_body(form)
    if authorization is None:
        credentials = in_body
    elif in_body is None or isinstance(in_body, Anonymous):
        credentials = _basic(authorization)
    else:
        raise InvalidRequest("there is more than one client authentication")
    if credentials is None:
        raise refused(Reason.NO_AUTHENTICATION)
    if form.one("client_id") not in (None, credentials.client_id):
        raise InvalidRequest("client_id is not that of the client authentication")
    return credentials


def check_secret(client: Client | None, secret: str, now: datetime) -> None:
    """Check the client's secret. Raises InvalidClient. An unknown client takes as long as a known one."""
    secret_hash = hashlib.sha256(secret.encode()).digest()
    registered = client.secrets if client else ()
    matches = [
        hmac.compare_digest(secret_hash, secret_record.hash)
        for secret_record in registered
        if not secret_record.has_expired(now)
    ]
    if not matches:
        hmac.compare_digest(secret_hash, _NO_SECRET)
    if not any(matches):
        raise refused(Reason.SECRET if client else Reason.UNKNOWN_CLIENT)
