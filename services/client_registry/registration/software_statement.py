"""Software statements of issuers that the operator trusts: RFC 7591 §2.3. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.oauth.client.jwks import can_verify, jwks_faults, verify_with
from shared.oauth.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from shared.oauth.supported import PUBLIC_KEY_ALGORITHMS
from shared.oauth.tokens.jwt import BadJwt, SignedClaims, is_for, unverified_claims, unverified_header
from shared.oauth.tokens.jwt_type import SOFTWARE_STATEMENT_TYPES, is_of_type

MEMBER = "software_statement"

Issuers = Mapping[str, Json]
"""The JWK Set of each trusted issuer."""

_NOT_METADATA = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", MEMBER})


class BadIssuers(Exception):
    """The operator's file is invalid; the message is the end of a sentence."""


def read_issuers(data: bytes) -> Issuers:
    """The trusted issuers in the operator's file. Raises BadIssuers."""
    try:
        issuers = parse_object(data)
    except BadJson as fault:
        raise BadIssuers(f"cannot be read: {fault}") from None
    for issuer, jwks in issuers.items():
        if not isinstance(jwks, dict):
            raise BadIssuers(f"has no JWK Set for {issuer}")
        if faults := jwks_faults(jwks):
            raise BadIssuers(f"has no usable JWK Set for {issuer}: {' '.join(faults[0])}")
        if not can_verify(jwks, PUBLIC_KEY_ALGORITHMS):
            raise BadIssuers(f"has no usable JWK Set for {issuer}: no key in it verifies a signature")
    return issuers


def with_statement(members: Json, issuers: Issuers, audience: str, now: datetime) -> dict[str, Any]:
    """The members of a request, replaced by the claims of its software statement.

    Without trusted issuers a statement is ignored. Raises InvalidSoftwareStatement,
    UnapprovedSoftwareStatement.
    """
    statement = members.get(MEMBER)
    plain = {name: value for name, value in members.items() if name != MEMBER}
    if statement is None or not issuers:
        return plain
    if not isinstance(statement, str):
        raise InvalidSoftwareStatement("software_statement must be a JWT")
    claims = _verified(statement, issuers)
    _check(claims, audience, now)
    return plain | {name: value for name, value in claims.items() if name not in _NOT_METADATA}


def _verified(statement: str, issuers: Issuers) -> SignedClaims:
    try:
        typ, claimed = unverified_header(statement).typ, unverified_claims(statement).get("iss")
    except BadJwt as fault:
        raise InvalidSoftwareStatement("software_statement is malformed", detail=str(fault)) from None
    if not is_of_type(typ, SOFTWARE_STATEMENT_TYPES):  # RFC 8725 §3.11
        raise InvalidSoftwareStatement("software_statement is a JWT of another type")
    if not isinstance(claimed, str):
        raise InvalidSoftwareStatement("software_statement has no iss")
    if claimed not in issuers:
        raise UnapprovedSoftwareStatement("the issuer of software_statement is not trusted here")
    try:
        return verify_with(statement, issuers[claimed])
    except BadJwt as fault:
        raise InvalidSoftwareStatement("software_statement is not valid", detail=str(fault)) from None


def _check(claims: SignedClaims, audience: str, now: datetime) -> None:
    exp, nbf = (claims.get(name) for name in ("exp", "nbf"))
    if not _is_time(exp) or not _is_time(nbf):
        raise InvalidSoftwareStatement("software_statement has a time that is not a number")
    if exp is not None and exp <= now.timestamp():
        raise InvalidSoftwareStatement("software_statement has expired")
    if nbf is not None and nbf > now.timestamp():
        raise InvalidSoftwareStatement("software_statement is not valid yet")
    if "aud" in claims and not is_for(claims, audience):
        raise InvalidSoftwareStatement("software_statement is for another server")


def _is_time(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
