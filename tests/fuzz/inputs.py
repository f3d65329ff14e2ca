"""The inputs for the three parsers that read untrusted input: valid requests with mutations."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from random import Random
from typing import Any

from tests.builders import REDIRECT_URI, SECRET, VERIFIER
from tests.deployment import ISSUER
from tests.fuzz.noise import Noise

WEB, NATIVE, SIGNING, UNSIGNED = "fuzz-web", "fuzz-native", "fuzz-signing", "fuzz-unsigned"
CLIENT_IDS = (WEB, NATIVE, SIGNING, UNSIGNED)


class Parser(StrEnum):
    """The parser that an input is for."""

    AUTHORIZATION = "authorization"
    TOKEN = "token"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class Input:
    """A request: its query or body as bytes, and its Authorization header."""

    parser: Parser
    content: bytes
    authorization: str | None = None

    def to_json(self) -> str:
        """A line that `from_json` reads; bytes as Latin-1."""
        return json.dumps({**asdict(self), "content": self.content.decode("latin-1")})

    @classmethod
    def from_json(cls, text: str) -> "Input":
        members = json.loads(text)
        content = members["content"].encode("latin-1")
        return cls(Parser(members["parser"]), content, members["authorization"])


def _request(client_id: str) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "redirect_uri": "http://127.0.0.1:4000/cb" if client_id == NATIVE else REDIRECT_URI,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "nonce": "n",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


_CLAIMS = {
    "id_token": {"acr": {"essential": True, "values": ["a"]}, "sub": {"value": "x"}},
    "userinfo": {"email": None},
}
_OPTIONAL: dict[str, Any] = {
    "response_mode": "form_post",
    "claims": _CLAIMS,
    "prompt": "login consent",
    "max_age": "10",
    "id_token_hint": "e30.e30.AA",
    "login_hint": "ada",
    "ui_locales": "de en",
    "acr_values": "a b",
    "request_uri": "urn:ietf:params:oauth:request_uri:pr_" + "A" * 43,
    "response_type": "code id_token token",
    "display": "page",
    "interaction": "in_" + "A" * 43,
}


def _authorization(noise: Noise) -> Input:
    asked = _request(noise.pick(CLIENT_IDS))
    for name in noise.random.sample(sorted(_OPTIONAL), noise.random.randrange(4)):
        asked[name] = _OPTIONAL[name]
    if noise.random.random() < 0.3:
        inside = noise.times(noise.changed, {**asked, "iss": asked["client_id"], "aud": ISSUER})
        header = noise.times(noise.changed, {"alg": "none", "typ": "oauth-authz-req+jwt"}, most=1)
        asked["request"] = noise.jwt(header, inside, b"")
        return Input(Parser.AUTHORIZATION, noise.form({**_request(UNSIGNED), "request": asked["request"]}))
    return Input(Parser.AUTHORIZATION, noise.form(noise.times(noise.changed, asked)))


_GRANTS: tuple[dict[str, Any], ...] = (
    {"grant_type": "authorization_code", "code": "ac_" + "A" * 43, "redirect_uri": REDIRECT_URI,
     "code_verifier": VERIFIER},
    {"grant_type": "refresh_token", "refresh_token": "rt_" + "A" * 72, "scope": "openid"},
    {"grant_type": "client_credentials", "scope": "api:read"},
)  # fmt: skip


def _assertion(noise: Noise, now: int) -> str:
    claims = {
        "iss": SIGNING,
        "sub": SIGNING,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": noise.random.randbytes(9).hex(),
    }
    header = noise.times(noise.changed, {"alg": "HS256", "typ": "JWT"}, most=1)
    return noise.jwt(header, noise.times(noise.changed, claims, most=2), SECRET.encode())


def _printable(value: str) -> str:
    """Characters that a header's value may have; others never arrive (`tests/flow/test_framing.py`)."""
    return "".join(character if " " <= character <= "~" else "?" for character in value)


def _token(noise: Noise) -> Input:
    form, authorization = dict(noise.pick(_GRANTS)), None
    match noise.random.randrange(4):
        case 0:
            pair = noise.times(noise.changed, f"{WEB}:{SECRET.replace(' ', '+')}", most=1)
            encoded = base64.b64encode(str(pair).encode("utf-8", "surrogatepass")).decode()
            authorization = noise.times(noise.changed, f"Basic {encoded}", most=1)
            authorization = _printable(str(authorization)) or None
        case 1:
            form |= {"client_id": noise.pick(CLIENT_IDS), "client_secret": SECRET}
        case 2:
            form |= {
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": _assertion(noise, int(time.time())),
            }
        case _:
            form["client_id"] = NATIVE
    return Input(Parser.TOKEN, noise.form(noise.times(noise.changed, form, most=2)), authorization)


_METADATA: dict[str, Any] = {
    "redirect_uris": ["https://rp.test/cb"],
    "client_name": "Files",
    "application_type": "web",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid email",
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "ES256",
    "jwks": {
        "keys": [
            {"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
             "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "sig", "kid": "1"},
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256"},
        ]
    },
    "jwks_uri": "https://rp.test/jwks",
    "id_token_signed_response_alg": "ES256",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A128GCM",
    "subject_type": "pairwise",
    "post_logout_redirect_uris": ["https://rp.test/gone"],
    "request_uris": ["https://rp.test/r#hash"],
    "backchannel_logout_uri": "https://rp.test/bye",
    "default_max_age": 10,
    "default_acr_values": ["a"],
    "initiate_login_uri": "https://rp.test/login",
    "logo_uri": "https://rp.test/logo",
    "contacts": ["ada@rp.test"],
    "software_statement": "e30.e30.AA",
}  # fmt: skip


def _registration(noise: Noise) -> Input:
    names = noise.random.sample(sorted(_METADATA), noise.random.randrange(8))
    described = {name: _METADATA[name] for name in ("redirect_uris", *names)}
    return Input(Parser.REGISTRATION, noise.json_text(noise.times(noise.changed, described)))


_MAKE = {
    Parser.AUTHORIZATION: _authorization,
    Parser.TOKEN: _token,
    Parser.REGISTRATION: _registration,
}


def inputs(seed: int, count: int) -> Iterator[Input]:
    """The inputs of a seed, each parser's in turn. Assertions among them are timed from now."""
    noise, parsers = Noise(Random(seed)), tuple(Parser)
    for number in range(count):
        yield _MAKE[parsers[number % len(parsers)]](noise)
