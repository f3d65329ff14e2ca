"""Authlib as a client that registers itself, signs a user in and signs them out."""

from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc7591
from authlib.oidc import registration, rpinitiated

from shared.paths import OPENID_CONFIGURATION
from tests.interop.authlib_rp import answered, introspected, relying_party_of
from tests.interop.conversation import Steps, converse


def _registered(issuer: str, initial_access_token: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Register a client. Authlib has no function for it: this combines its session and its metadata rules."""
    with OAuth2Session(token={"access_token": initial_access_token, "token_type": "Bearer"}) as session:
        server = session.get(OPENID_CONFIGURATION.at(issuer), withhold_token=True).json()
        response = session.post(server["registration_endpoint"], json=asked)
        response.raise_for_status()
    client: dict[str, Any] = response.json()
    for rules in (rfc7591.ClientMetadataClaims, registration.ClientMetadataClaims):
        rules(client, {}, rules.get_claims_options(server), server).validate()
    rpinitiated.ClientMetadataClaims(client, {}, {}, server).validate()
    return client


def _signs_in_and_out(given: dict[str, Any]) -> Steps:
    client = _registered(given["issuer"], given["initial_access_token"], given["metadata"])
    relying_party = relying_party_of(
        given["issuer"], client["client_id"], client["client_secret"], given["scope"]
    )
    redirect_uri = client["redirect_uris"][0]
    asked = relying_party.create_authorization_url(redirect_uri)
    callback = yield {"authorization_url": asked["url"]}

    code = answered(callback, asked["state"])["code"]
    token = relying_party.fetch_access_token(redirect_uri, code=code, code_verifier=asked["code_verifier"])
    claims = relying_party.parse_id_token(token, asked["nonce"])
    before = introspected(relying_party, token["access_token"])
    logout = relying_party.create_logout_url(client["post_logout_redirect_uris"][0], token["id_token"])
    returned = yield {"end_session_url": logout["url"]}

    answered(returned, logout["state"])
    after = introspected(relying_party, token["access_token"])
    return {"registered": client, "claims": claims, "before": before, "after": after}


if __name__ == "__main__":
    converse(_signs_in_and_out)
