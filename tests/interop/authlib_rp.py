"""Authlib as a relying party: the classes behind its framework integrations, with their default checks."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session

from tests.interop.conversation import Steps, converse


class AuthlibClient(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc] # Authlib carries no types
    """Authlib's integration for Flask, without Flask."""

    client_cls = OAuth2Session


def relying_party_of(issuer: str, client_id: str, client_secret: str, scope: str) -> AuthlibClient:
    """A confidential client of *issuer*, configured by its metadata."""
    return AuthlibClient(
        None,
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=issuer + "/.well-known/openid-configuration",
        client_kwargs={"scope": scope, "code_challenge_method": "S256"},
    )


def answered(url: str, state: str) -> dict[str, str]:
    """The parameters of the callback, if they are for *state*, as Flask would pass them."""
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if parameters["state"] != state:
        raise ValueError("another state")
    return parameters


def introspected(relying_party: AuthlibClient, access_token: str) -> Any:
    """The introspection response."""
    url = relying_party.load_server_metadata()["introspection_endpoint"]
    with OAuth2Session(relying_party.client_id, relying_party.client_secret) as session:
        return session.introspect_token(url, access_token, "access_token").json()


def _signs_in(given: dict[str, Any]) -> Steps:
    relying_party = relying_party_of(
        given["issuer"], given["client_id"], given["client_secret"], given["scope"]
    )
    asked = relying_party.create_authorization_url(given["redirect_uri"])
    callback = yield {"authorization_url": asked["url"]}

    code = answered(callback, asked["state"])["code"]
    token = relying_party.fetch_access_token(
        given["redirect_uri"], code=code, code_verifier=asked["code_verifier"]
    )
    claims = relying_party.parse_id_token(token, asked["nonce"])
    userinfo = relying_party.userinfo(token=token)

    metadata = relying_party.load_server_metadata()
    with OAuth2Session(given["client_id"], given["client_secret"], token=token) as session:
        refreshed = session.refresh_token(metadata["token_endpoint"])
        refreshed_claims = relying_party.parse_id_token(refreshed, None)  # which need not repeat it
        introspection = introspected(relying_party, refreshed["access_token"])
        session.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"], "refresh_token")
    return {
        "claims": claims,
        "userinfo": userinfo,
        "refreshed_sub": refreshed_claims["sub"],
        "introspection": introspection,
        "revoked": introspected(relying_party, refreshed["access_token"]),
    }


if __name__ == "__main__":
    converse(_signs_in)
