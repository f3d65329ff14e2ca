"""Client assertions: algorithms, secrets, audiences and times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from shared.codec.base64url import base64url
from shared.oauth.client.assertion import ProvenAssertion, check_assertion, check_header, verify_with_secrets
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import from_metadata, to_metadata
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.rules import read_operators
from shared.oauth.errors import InvalidClient
from shared.oauth.tokens.jwt import BadJwt, SignedClaims
from tests.jwt_types import OTHER_TYPES
from tests.planted import planted
from tests.planted.oauth import (
    any_type_authenticates,
    two_names_of_an_audience,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
AT = int(NOW.timestamp())
ISSUER, ENDPOINT = "https://id.example.org/oidc", "https://id.example.org/oidc/oauth2/token"
CLIENT = Client(client_id="c")
CLAIMS = {"iss": "c", "sub": "c", "aud": ISSUER, "iat": AT, "exp": AT + 60, "jti": "j"}
SECRETS = [
    f"the secret of number {number}, which is long enough for HS512 to be content" for number in range(4)
]


def _proven(client: Client = CLIENT, **changes: Any) -> ProvenAssertion:
    """Of CLAIMS, changed; a claim that is Ellipsis is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return check_assertion(SignedClaims(claims), client, (ISSUER, ENDPOINT), NOW)


def test_an_assertion_that_holds() -> None:
    """RFC 7523 §3: a valid assertion yields the values that identify a replay."""
    assert _proven() == ProvenAssertion("j", NOW, NOW + 60 * SECOND)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ENDPOINT},
        {"aud": [ISSUER]},
        {"aud": [ENDPOINT, ISSUER]},
        {"exp": AT + 1},
        {"exp": AT + 0.5},
        {"exp": AT + 310},
        {"iat": AT - 310},
        {"iat": AT + 10},
        {"iat": AT + 5, "exp": AT + 5},
        {"nbf": AT + 10},
        {"jti": "j" * 512},
    ],
)
def test_an_assertion_at_the_edge_holds(changes: dict[str, Any]) -> None:
    """Either audience, at most five minutes, and ten seconds of clock skew are accepted."""
    assert _proven(**changes).jti == changes.get("jti", "j")


REFUSED: dict[str, list[dict[str, Any]]] = {
    "the assertion's iss or sub is not the client": [{"iss": "d"}, {"sub": "d"}, {"iss": ...}, {"sub": ...}],
    "the assertion is for another audience": [
        {"aud": "https://other.test"},
        {"aud": [ISSUER, "https://other.test"]},
        {"aud": f"{ISSUER}/"},
        {"aud": ISSUER[:-1]},
        {"aud": []},
        {"aud": None},
        {"aud": ...},
        {"aud": {ISSUER: 1}},
        {"aud": [[ISSUER]]},
    ],
    "the assertion's exp is missing or not a number": [{"exp": ...}, {"exp": str(AT + 60)}, {"exp": True}],
    "the assertion's iat is missing or not a number": [{"iat": ...}, {"iat": None}, {"iat": [AT]}],
    "the assertion's nbf is missing or not a number": [{"nbf": None}, {"nbf": "0"}],
    "the assertion's exp is out of range": [{"exp": 10**30}, {"exp": 10**400}, {"exp": float("inf")}],
    "the assertion's iat is out of range": [{"iat": -(10**30)}, {"iat": float("nan")}],
    "the assertion has expired, or expires too late": [{"exp": AT}, {"exp": AT + 311}, {"exp": AT - 1}],
    "the assertion is from too long ago": [{"iat": AT - 311}, {"iat": AT - 10**6}],
    "the assertion is from the future": [{"iat": AT + 11}, {"iat": AT + 6, "exp": AT + 5}],
    "the assertion is not valid yet": [{"nbf": AT + 11}],
    "the assertion's jti is missing or too long": [{"jti": ...}, {"jti": ""}, {"jti": 7}, {"jti": "j" * 513}],
}


@pytest.mark.parametrize(
    ("detail", "changes"), [(detail, changes) for detail, each in REFUSED.items() for changes in each]
)
def test_an_assertion_that_does_not_hold_is_refused_alike(detail: str, changes: dict[str, Any]) -> None:
    """RFC 7523 §3: the response is the same for every fault; the log has the reason."""
    with pytest.raises(InvalidClient) as refused:
        _proven(**changes)
    assert (refused.value.description, refused.value.detail) == ("client authentication failed", detail)


def test_a_client_may_be_held_to_the_issuer_alone() -> None:
    """FAPI 2.0 Security Profile §5.3.2.1: as a string, and no other."""
    client = Client(client_id="c", assertion_audience="issuer")
    assert _proven(client)
    for aud in (ENDPOINT, [ISSUER], [ISSUER, ENDPOINT], None):
        with pytest.raises(InvalidClient) as refused:
            _proven(client, aud=aud)
        assert refused.value.detail == "the assertion's aud is not the issuer alone"


@planted(two_names_of_an_audience)
def test_the_former_name_of_the_audience_is_read_and_never_written() -> None:
    """The former name `endpoint` is read as `issuer_or_endpoint`."""
    members = {"redirect_uris": ["https://rp.test/cb"], "assertion_audience": "endpoint"}
    client = read_operators(
        members, "c", Capabilities(response_types=("code",), signing_algorithms=("RS256",))
    ).client
    for read in (client, from_metadata("c", {"assertion_audience": "endpoint"})):
        assert read.assertion_audience == "issuer_or_endpoint"
        assert to_metadata(read)["assertion_audience"] == "issuer_or_endpoint"
    assert Client(client_id="c").assertion_audience == "issuer_or_endpoint"


def _named(alg: str) -> str:
    """An unverified assertion with this algorithm."""
    return ".".join((base64url(f'{{"alg":"{alg}"}}'.encode()), "e30", "AA"))


@pytest.mark.parametrize(
    ("method", "registered", "alg", "fits"),
    [
        ("private_key_jwt", None, "ES256", True),
        ("private_key_jwt", None, "PS512", True),
        ("private_key_jwt", "ES256", "ES256", True),
        ("private_key_jwt", "ES256", "ES384", False),
        ("private_key_jwt", None, "HS256", False),
        ("private_key_jwt", "HS256", "HS256", False),
        ("private_key_jwt", None, "none", False),
        ("client_secret_jwt", None, "HS512", True),
        ("client_secret_jwt", "HS256", "HS256", True),
        ("client_secret_jwt", "HS256", "HS512", False),
        ("client_secret_jwt", None, "ES256", False),
    ],
)
def test_an_algorithm_fits_the_method_and_what_is_registered(
    method: str, registered: str | None, alg: str, fits: bool
) -> None:
    """RFC 8725 §3.1: the client's method decides, not the header."""
    client = Client(
        client_id="c", token_endpoint_auth_method=method, token_endpoint_auth_signing_alg=registered
    )
    if fits:
        check_header(_named(alg), client)
    else:
        with pytest.raises(BadJwt, match=rf"^signed with {alg}$"):
            check_header(_named(alg), client)


def _typed(typ: str) -> str:
    """An assertion with this type."""
    return ".".join((base64url(f'{{"alg":"ES256","typ":"{typ}"}}'.encode()), "e30", "AA"))


@planted(any_type_authenticates)
@pytest.mark.parametrize("typ", [*OTHER_TYPES, "oauth-authz-req+jwt"])
def test_a_jwt_made_for_another_use_authenticates_nobody(typ: str) -> None:
    """RFC 8725 §3.11: neither a proof, nor a token, nor a request object."""
    client = Client(client_id="c", token_endpoint_auth_method="private_key_jwt")
    with pytest.raises(BadJwt, match=r"^of type "):
        check_header(_typed(typ), client)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "JOSE", "client-authentication+jwt"])
def test_a_type_of_an_assertion_may_be_its_own_or_say_nothing(typ: str) -> None:
    """draft-ietf-oauth-rfc7523bis names one; most clients send `JWT`."""
    check_header(_typed(typ), Client(client_id="c", token_endpoint_auth_method="private_key_jwt"))


def _kept(value: str | None, expires_at: datetime | None = None) -> ClientSecret:
    return ClientSecret(b"", expires_at, value)


def test_of_several_secrets_any_that_is_kept_and_has_not_ended_verifies() -> None:
    """During a rotation, both secrets verify. A secret of which only the hash is stored does not."""
    kept = (_kept(None), _kept(SECRETS[0], NOW), _kept(SECRETS[1], NOW + SECOND), _kept(SECRETS[2]))
    client = Client(client_id="c", secrets=kept)
    for alg in ("HS256", "HS384", "HS512"):
        for secret in SECRETS[1:3]:
            assert verify_with_secrets(jwt.encode({"sub": "c"}, secret, alg), client, NOW) == {"sub": "c"}
        for secret in (SECRETS[0], SECRETS[3]):
            with pytest.raises(BadJwt, match=r"^no secret of the client verifies it$"):
                verify_with_secrets(jwt.encode({"sub": "c"}, secret, alg), client, NOW)
