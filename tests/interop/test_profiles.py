"""openid-client with further profiles of the code flow and other flows, with its default checks."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.codec.base64url import base64url
from shared.oauth.tokens.keys import public_jwk
from tests.flow.op import Op
from tests.interop.relying_party import OPENID_CLIENT, conversation, node_program
from tests.interop.tampering import impostor, with_parameters

REDIRECT_URI = "https://rp.example.org/callback"  # no browser of ours goes there
SCOPE = "openid profile email"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = {**public_jwk(KEY.public_key()), "kid": "signs-requests", "use": "sig", "alg": "ES256"}
PRIVATE = {**PUBLIC, "d": base64url(KEY.private_numbers().private_value.to_bytes(32, "big"))}
PROFILES = node_program("openid_client_profiles.mjs", "openid-client")


@pytest.fixture(scope="module")
def configuration(every_type: Op) -> dict[str, Any]:
    """The configuration of openid-client: a client with every flow that signs its requests with ES256."""
    client = every_type.add_client(
        client_name="Every profile",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "implicit"],
        response_types=["code", "id_token", "code id_token"],
        scope=SCOPE,
        jwks={"keys": [PUBLIC]},
        request_object_signing_alg="ES256",
    )
    given = {name: client[name] for name in ("client_id", "client_secret")}
    return {
        "issuer": every_type.issuer,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "signing_key": PRIVATE,
        **given,
    }


@pytest.mark.point(11)
@pytest.mark.parametrize(
    "profile",
    [
        "PAR",
        "JAR",
        "JAR+PAR",
        "JARM",
        "JAR+PAR+JARM",
        "id_token",
        "code id_token",
        "detached signature",
        "code id_token+JAR+PAR",
        "detached signature+JARM",
    ],
)
def test_openid_client_signs_the_user_in(every_type: Op, configuration: dict[str, Any], profile: str) -> None:
    """RFC 9101, RFC 9126, JARM, implicit and hybrid, with checks of `iss`, `nonce`, `c_hash`, `s_hash`."""
    with conversation(PROFILES, every_type.ca_file, {**configuration, "profile": profile}) as talk:
        asked = talk.hear()
        assert "error" not in asked, asked
        url = asked["authorization_url"]
        named = profile.split("+")
        assert ("request_uri=" in url) == ("PAR" in named)
        assert ("request=" in url) == ("JAR" in named and "PAR" not in named)
        talk.say(every_type.sign_in(url))
        learned = talk.hear()
    assert "error" not in learned, learned
    assert learned["claims"]["iss"] == every_type.issuer
    if profile == "id_token":  # no access token is issued: the claims of the scope are here
        assert learned["claims"]["preferred_username"] == every_type.username
    else:
        assert learned["userinfo"]["preferred_username"] == every_type.username
        assert learned["userinfo"]["sub"] == learned["claims"]["sub"]


@pytest.mark.parametrize("profile", ["PAR", "JARM", "id_token", "code id_token"])
def test_openid_client_refuses_the_answer_of_another_issuer(
    every_type: Op, configuration: dict[str, Any], profile: str, tmp_path: Path
) -> None:
    """By the `iss` of the answer, of the JWT that it is, or of the ID token in it."""
    with (
        impostor(every_type.metadata(), every_type.ca_file, tmp_path) as (issuer, trusted),
        conversation(PROFILES, trusted, {**configuration, "issuer": issuer, "profile": profile}) as talk,
    ):
        talk.say(every_type.sign_in(talk.hear()["authorization_url"]))
        assert re.search(OPENID_CLIENT.refuses_issuer, talk.hear()["error"])


@pytest.mark.parametrize("profile", ["JARM", "id_token", "code id_token", "detached signature"])
def test_openid_client_refuses_another_nonce(
    every_type: Op, configuration: dict[str, Any], profile: str
) -> None:
    """In the ID token of the answer (OpenID Connect Core 1.0 §3.2.2.11), and in the token endpoint's."""
    with conversation(PROFILES, every_type.ca_file, {**configuration, "profile": profile}) as talk:
        url = talk.hear()["authorization_url"]
        talk.say(every_type.sign_in(with_parameters(url, nonce="a-nonce-of-somebody-else")))
        assert re.search(OPENID_CLIENT.refuses_nonce, talk.hear()["error"])
