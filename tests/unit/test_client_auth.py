"""Client credentials: reading them from a request, and checking secrets."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.codec.base64url import base64url
from shared.oauth.client.authentication import (
    Anonymous,
    Assertion,
    Credentials,
    SecretBasic,
    SecretPost,
    accepts,
    check_secret,
    presented,
)
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.errors import InvalidClient, InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.supported import TOKEN_ENDPOINT_AUTH_METHODS

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _basic(halves: str | bytes, scheme: str = "Basic ") -> str:
    return scheme + base64.b64encode(halves.encode() if isinstance(halves, str) else halves).decode()


def _jwt(payload: bytes) -> str:
    return f"e30.{base64url(payload)}.AA"


def _asserted(token: str, **more: str) -> dict[str, str]:
    return {"client_assertion_type": TYPE, "client_assertion": token, **more}


ASSERTION = _jwt(b'{"sub": "c"}')
LONGEST = ASSERTION.ljust(16 * 1024, "A")


def test_each_method_has_its_credentials() -> None:
    """Each `token_endpoint_auth_method` has its credentials."""
    methods = {kind: kind.methods for kind in (Anonymous, SecretBasic, SecretPost, Assertion)}
    assert methods == {
        Anonymous: ("none",),
        SecretBasic: ("client_secret_basic",),
        SecretPost: ("client_secret_post",),
        Assertion: ("private_key_jwt", "client_secret_jwt"),
    }


@pytest.mark.parametrize(
    ("authorization", "form", "credentials"),
    [
        (_basic("c:s"), {}, SecretBasic("c", "s")),
        (_basic("c:s", "bAsIc  "), {}, SecretBasic("c", "s")),
        (_basic("c:s") + " ", {}, SecretBasic("c", "s")),
        (_basic("c:s:t"), {}, SecretBasic("c", "s:t")),
        (_basic("c+%3A%2B:s+%C3%BC"), {}, SecretBasic("c :+", "s ü")),
        (_basic("c+d:s+t"), {}, SecretBasic("c d", "s t")),
        (_basic("ü:ü"), {}, SecretBasic("ü", "ü")),
        (_basic("c:s"), {"client_id": "c"}, SecretBasic("c", "s")),
        (_basic("c:"), {}, Anonymous("c")),
        (None, {"client_id": "c", "client_secret": "s"}, SecretPost("c", "s")),
        (None, {"client_id": "c"}, Anonymous("c")),
        (None, _asserted(ASSERTION), Assertion("c", ASSERTION)),
        (None, _asserted(ASSERTION, client_id="c"), Assertion("c", ASSERTION)),
        (None, _asserted(LONGEST), Assertion("c", LONGEST)),
    ],
)
def test_what_a_request_presents(
    authorization: str | None, form: dict[str, str], credentials: Credentials
) -> None:
    """RFC 6749 §2.3.1, RFC 7521 §4.2: in the header, in the body, or as an assertion."""
    assert presented(authorization, Parameters.of(form)) == credentials


@pytest.mark.parametrize(
    ("authorization", "form", "detail"),
    [
        (None, {}, "there is no client authentication"),
        (None, {"client_id": ""}, "there is no client authentication"),
        ("Bearer at_x", {}, "the Authorization header is not Basic"),
        (_basic("c:s", "Basic-"), {}, "the Authorization header is not Basic"),
        *(
            (header, {}, "the Authorization header is malformed")
            for header in (
                "Basic",
                "Basic !!!",
                _basic("c:s").replace("=", "") + "!",
                _basic("no colon"),
                _basic(":s"),
                _basic(b"\xff:s"),
                _basic("c%ff:s"),
                _basic("c:s%ff"),
                _basic("c%00:s"),
                _basic("c:s%00"),
                "Basic ü",
            )
        ),
        (
            None,
            _asserted(ASSERTION) | {"client_assertion_type": TYPE.upper()},
            "this client_assertion_type is not supported",
        ),
        (None, {"client_assertion": ASSERTION}, "this client_assertion_type is not supported"),
        *(
            (None, _asserted(token), "the assertion is malformed")
            for token in (
                *("x", "a.b", "a.b.c.d", "e30.ü.AA", f"{LONGEST}A"),
                *map(_jwt, (b"null", b"[]", b'"sub"', b"{", b"\xff", b"[" * 9000, b'{"sub": "\\u0000"}')),
            )
        ),
        *(
            (None, _asserted(_jwt(payload)), "the assertion has no sub")
            for payload in (b"{}", b'{"sub": 1}', b'{"sub": null}', b'{"sub": ""}')
        ),
    ],
)
def test_credentials_that_cannot_be_read_are_refused_alike(
    authorization: str | None, form: dict[str, str], detail: str
) -> None:
    """The response is `invalid_client`; the log has the reason."""
    with pytest.raises(InvalidClient) as refused:
        presented(authorization, Parameters.of(form))
    assert (refused.value.description, refused.value.detail) == ("client authentication failed", detail)


@pytest.mark.parametrize(
    ("authorization", "form", "description"),
    [
        *(
            (header, form, "there is more than one client authentication")
            for header, form in (
                (_basic("c:s"), {"client_id": "c", "client_secret": "s"}),
                (_basic("c:s"), _asserted(ASSERTION)),
                (None, _asserted(ASSERTION, client_id="c", client_secret="s")),
                (None, {"client_assertion_type": TYPE, "client_id": "c", "client_secret": "s"}),
            )
        ),
        *(
            (header, form, "client_id is not that of the client authentication")
            for header, form in (
                (_basic("c:s"), {"client_id": "other"}),
                (_basic("c:"), {"client_id": "other"}),
                (None, _asserted(ASSERTION, client_id="other")),
            )
        ),
        (None, {"client_secret": "s"}, "client_id is missing"),
        (None, {"client_assertion_type": TYPE}, "client_assertion is missing"),
    ],
)
def test_there_is_one_authentication_of_one_client(
    authorization: str | None, form: dict[str, str], description: str
) -> None:
    """RFC 6749 §2.3: never two methods, and never one client's credentials under another's name."""
    with pytest.raises(InvalidRequest) as refused:
        presented(authorization, Parameters.of(form))
    assert refused.value.description == description


@pytest.mark.parametrize("credentials", [SecretBasic("c", "s3"), SecretPost("c", "s3"), Assertion("c", "s3")])
def test_no_credential_is_shown(credentials: Credentials) -> None:
    """The representation of credentials has no secret, as it may be logged."""
    assert "s3" not in repr(credentials)
    assert "'c'" in repr(credentials)


def _secret(secret: str, expires_at: datetime | None = None) -> ClientSecret:
    return ClientSecret(hashlib.sha256(secret.encode()).digest(), expires_at)


CLIENT = Client(client_id="c", secrets=(_secret("new"), _secret("old", NOW + SECOND), _secret("over", NOW)))


@pytest.mark.parametrize("secret", ["new", "old"])
def test_a_secret_holds_until_it_ends(secret: str) -> None:
    """During a rotation, both secrets are valid until they end."""
    check_secret(CLIENT, secret, NOW)


@pytest.mark.parametrize(
    ("client", "secret"),
    [(CLIENT, "over"), (CLIENT, ""), (CLIENT, "NEW"), (Client(client_id="c"), "new"), (None, "new")],
)
def test_a_secret_that_does_not_hold_is_refused_alike(client: Client | None, secret: str) -> None:
    """Expired and wrong secrets, clients without a secret and unknown clients get the same error."""
    with pytest.raises(InvalidClient) as refused:
        check_secret(client, secret, NOW)
    assert refused.value.description == "client authentication failed"
    assert refused.value.detail == ("the client secret is wrong" if client else "the client is unknown")


@pytest.mark.parametrize(
    "client", [None, Client(client_id="c"), Client(client_id="c", secrets=(_secret("x"),))]
)
def test_a_client_that_is_unknown_costs_what_a_known_one_does(
    client: Client | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown client costs one constant-time comparison of the same length."""
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def spy(given: Any, known: Any) -> bool:
        compared.append((len(given), len(known)))
        return compare(given, known)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    with pytest.raises(InvalidClient):
        check_secret(client, "wrong", NOW)
    assert compared == [(32, 32)]


@pytest.mark.parametrize("method", [*TOKEN_ENDPOINT_AUTH_METHODS, "unheard-of"])
@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_client_is_accepted_by_its_methods_alone(method: str, is_allowed: bool) -> None:
    """The permission to post a secret adds to client_secret_basic, and to nothing else."""
    client = Client(client_id="c", token_endpoint_auth_method=method, allow_client_secret_post=is_allowed)
    accepted = {
        kind
        for credentials in (Anonymous("c"), SecretBasic("c", "s"), SecretPost("c", "s"), Assertion("c", "t"))
        if accepts(client, credentials)
        for kind in credentials.methods
        if kind == method or isinstance(credentials, SecretPost)
    }
    expected = {method} - {"unheard-of"}
    if is_allowed and method == "client_secret_basic":
        expected |= {"client_secret_post"}
    assert accepted == expected
