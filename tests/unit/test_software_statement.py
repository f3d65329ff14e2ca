"""Software statements: trusted issuers, and their claims."""

import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.client_registry.registration.software_statement import (
    BadIssuers,
    Issuers,
    read_issuers,
    with_statement,
)
from shared.oauth.errors import InvalidSoftwareStatement, OAuthError, UnapprovedSoftwareStatement
from shared.oauth.tokens.keys import public_jwk
from tests.jwt_types import OTHER_TYPES
from tests.planted import planted
from tests.planted.protocol import any_type

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
PUBLISHER, OP = "https://publisher.test", "https://id.example.org/oidc"
ISSUERS: Issuers = {PUBLISHER: {"keys": [public_jwk(KEY.public_key())]}}
NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER, EARLIER = int(NOW.timestamp()) + 60, int(NOW.timestamp()) - 60
PLAIN = {"client_name": "Plain", "redirect_uris": ["https://rp.test/cb"]}


def _statement(key: Any = KEY, alg: str = "ES256", **claims: Any) -> str:
    members = {"iss": PUBLISHER, "software_id": "sync", "client_name": "Sync", **claims}
    return jwt.encode({name: value for name, value in members.items() if value is not None}, key, alg)


def _with(statement: Any, issuers: Issuers = ISSUERS) -> dict[str, Any]:
    return with_statement({**PLAIN, "software_statement": statement}, issuers, OP, NOW)


@pytest.mark.parametrize(
    "claims",
    [{}, {"exp": LATER, "nbf": EARLIER, "iat": EARLIER, "jti": "x"}, {"aud": OP}, {"aud": [OP, "x"]}],
)
def test_what_the_statement_says_takes_precedence(claims: dict[str, Any]) -> None:
    """RFC 7591 §2.3: other members stay, and registered JWT claims are not metadata."""
    assert _with(_statement(**claims)) == {**PLAIN, "client_name": "Sync", "software_id": "sync"}


@pytest.mark.parametrize("statement", [None, "nonsense", 7])
def test_where_nobody_is_believed_statements_are_ignored(statement: object) -> None:
    """RFC 7591 §2.3: a server may ignore statements."""
    assert _with(statement, {}) == PLAIN


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (_statement(iss="https://other.test"), UnapprovedSoftwareStatement),
        (_statement(OTHER, iss="https://other.test"), UnapprovedSoftwareStatement),
        (_statement(iss=None), InvalidSoftwareStatement),
        (_statement(iss=None, sub=PUBLISHER), InvalidSoftwareStatement),
        (_statement(OTHER), InvalidSoftwareStatement),
        (_statement("x" * 32, "HS256"), InvalidSoftwareStatement),
        (_statement(None, "none"), InvalidSoftwareStatement),
        (_statement()[:-4] + "AAAA", InvalidSoftwareStatement),
        (_statement(exp=EARLIER), InvalidSoftwareStatement),
        (_statement(nbf=LATER), InvalidSoftwareStatement),
        (_statement(aud="https://another.test"), InvalidSoftwareStatement),
        ("", InvalidSoftwareStatement),
        ("a.b", InvalidSoftwareStatement),
        ("a.b.c", InvalidSoftwareStatement),
        (7, InvalidSoftwareStatement),
        ([_statement()], InvalidSoftwareStatement),
        ("x" * 20_000, InvalidSoftwareStatement),
    ],
    ids=range(17),
)
def test_a_statement_that_does_not_hold_is_refused(statement: Any, error: type[OAuthError]) -> None:
    """RFC 7591 §3.2.2: untrusted, unsigned, altered, expired statements, and those for other servers."""
    with pytest.raises(error):
        _with(statement)


@planted(any_type)
@pytest.mark.parametrize("typ", [*OTHER_TYPES, "oauth-authz-req+jwt", "client-authentication+jwt"])
def test_a_jwt_made_for_another_use_is_no_statement(typ: str) -> None:
    """RFC 8725 §3.11."""
    statement = jwt.encode({"iss": PUBLISHER}, KEY, "ES256", headers={"typ": typ})
    with pytest.raises(InvalidSoftwareStatement):
        _with(statement)


@pytest.mark.parametrize("name", ["exp", "nbf"])
@pytest.mark.parametrize("value", ["tomorrow", True, [1]])
def test_a_time_that_is_no_number_is_refused(name: str, value: object) -> None:
    """Signed metadata are validated, too."""
    claims = json.dumps({"iss": PUBLISHER, name: value}).encode()
    statement = jwt.api_jws.encode(claims, KEY, "ES256")
    with pytest.raises(InvalidSoftwareStatement):
        _with(statement)


@pytest.mark.parametrize(
    "file",
    [b"", b"[]", b'{"https://a.test": []}', b'{"https://a.test": {}}', b'{"https://a.test": {"keys": [{}]}}'],
)
def test_a_file_of_issuers_that_cannot_be_used_is_refused(file: bytes) -> None:
    """A bad file is reported at start."""
    with pytest.raises(BadIssuers):
        read_issuers(file)
    assert read_issuers(json.dumps(ISSUERS).encode()) == ISSUERS
