"""Clients that are described by documents and authenticate with the keys that these name."""

import time
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.oauth.tokens.keys import public_jwk
from shared.paths import TOKEN
from shared.server.resources import WATCH
from tests.authorization import LOCAL_ISSUER, is_consent, is_login
from tests.builders import VERIFIER
from tests.client_documents import Documents
from tests.document_host import REDIRECT_URI
from tests.planted import planted
from tests.planted.client_documents import (
    any_key_signs_assertions,
    browsers_are_sent_anywhere_for_logos,
    old_keys_stay,
)

KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
TOKEN_ENDPOINT = TOKEN.at(LOCAL_ISSUER)


def jwks_of(*keys: rsa.RSAPrivateKey) -> dict[str, Any]:
    """A JWK Set."""
    return {"keys": [public_jwk(key.public_key()) for key in keys]}


def an_assertion(client_id: str, key: rsa.RSAPrivateKey = KEY, **claims: Any) -> dict[str, str]:
    """The form's members by which the client authenticates (RFC 7523 §2.2)."""
    now = int(time.time())
    content = {"iss": client_id, "sub": client_id, "aud": TOKEN_ENDPOINT, "iat": now, "exp": now + 60}
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({**content, "jti": uuid4().hex, **claims}, key, "RS256"),
    }


async def ask(documents: Documents, **form: str) -> tuple[int, Any]:
    """The token endpoint's answer."""
    response = await documents.tokens.token(None, form)
    return response.status, await response.json()


async def redeem(documents: Documents, client_id: str, code: str, **form: str) -> tuple[int, Any]:
    """The answer to a code."""
    grant = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    return await ask(documents, client_id=client_id, redirect_uri=REDIRECT_URI, **grant, **form)


def publish(documents: Documents, client_id: str | None = None, **members: Any) -> str:
    """A document in the shape of a client that prefers keys and offers to do without."""
    return documents.host.publish(
        client_id,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_methods_supported=["none", "private_key_jwt"],
        token_endpoint_auth_signing_alg="RS256",
        **members,
    )


def publish_keys(documents: Documents, *keys: rsa.RSAPrivateKey) -> str:
    """A JWK Set at a URL of its own."""
    url = documents.host.url()
    documents.host.answer(url, orjson.dumps(jwks_of(*keys)))
    return url


@planted(any_key_signs_assertions)
@pytest.mark.point("CI6")
@pytest.mark.parametrize("by_reference", [False, True], ids=["jwks", "jwks_uri"])
async def test_a_client_authenticates_with_the_keys_of_its_document(
    documents: Documents, by_reference: bool
) -> None:
    """From the consent to the refresh, for the issuer or the token endpoint, and in no other way."""
    keys: dict[str, Any] = {"jwks": jwks_of(KEY)}
    if by_reference:
        keys = {"jwks_uri": publish_keys(documents, KEY)}
    client_id = publish(documents, **keys)
    code = await documents.code(client_id, scope="openid offline_access")
    for wrong in (
        {},
        an_assertion(client_id, OTHER_KEY),
        an_assertion(client_id, aud=f"{TOKEN_ENDPOINT}/"),
        an_assertion(client_id, aud=client_id),
        an_assertion(client_id, exp=int(time.time()) - 3600),
    ):
        status, answer = await redeem(documents, client_id, code, **wrong)
        assert (status, answer["error"]) == (401, "invalid_client")
    status, answer = await redeem(documents, client_id, code, **an_assertion(client_id))
    assert (status, answer["scope"]) == (200, "openid offline_access"), answer
    refresh = {"grant_type": "refresh_token", "client_id": client_id}
    refresh["refresh_token"] = answer["refresh_token"]
    assert (await ask(documents, **refresh))[0] == 401
    assert (await ask(documents, **refresh, **an_assertion(client_id, aud=LOCAL_ISSUER)))[0] == 200


@planted(old_keys_stay)
@pytest.mark.point("CI10")
async def test_a_key_that_the_document_withdraws_is_dead(documents: Documents) -> None:
    """The stored client follows its document, and a user is asked again."""
    client_id = publish(documents, jwks=jwks_of(KEY))
    browser, page = await documents.consent_page(client_id, scope="openid offline_access")
    code = (await browser.decide(page)).answer["code"]
    publish(documents, client_id, jwks=jwks_of(OTHER_KEY))
    await documents.age(client_id)
    assert is_consent(await documents.ask(client_id, browser))
    await documents.tokens.http.app[WATCH].poll()
    status, answer = await redeem(documents, client_id, code, **an_assertion(client_id))
    assert (status, answer["error"]) == (401, "invalid_client")
    assert (await redeem(documents, client_id, code, **an_assertion(client_id, OTHER_KEY)))[0] == 200


@planted(browsers_are_sent_anywhere_for_logos)
@pytest.mark.point("CI8")
async def test_a_logo_leads_nobody_into_a_private_network(documents: Documents) -> None:
    """A page fetches no logo, and shows none, and no link, of a document that names a private address."""
    logo = documents.host.url()
    client_id = documents.host.publish(logo_uri=logo)
    _, page = await documents.consent_page(client_id)
    assert quote(logo, safe="") in page.text
    assert documents.host.fetches(logo) == 0
    for uri in (
        "https://10.0.0.1/logo",
        "https://router.lan/logo",
        "https://[fe80::1]/logo",
        "https://127.0.0.1/logo",
    ):
        client_id = documents.host.publish(logo_uri=uri, client_uri=uri)
        assert is_login(await documents.ask(client_id))
        _, page = await documents.consent_page(client_id)
        assert uri not in page.text
        assert quote(uri, safe="") not in page.text
