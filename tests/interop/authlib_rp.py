"""Authlib as a relying party: the classes behind its framework integrations, with their checks as they come.

Talks in lines of JSON, as node/conversation.mjs has them.
"""

import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session


class RelyingParty(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc] # Authlib carries no types
    """What Authlib makes for Flask, less Flask."""

    client_cls = OAuth2Session


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _converse() -> dict[str, Any]:
    given = json.loads(sys.stdin.readline())
    relying_party = RelyingParty(
        None,
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        server_metadata_url=given["issuer"] + "/.well-known/openid-configuration",
        client_kwargs={"scope": given["scope"], "code_challenge_method": "S256"},
    )
    asked = relying_party.create_authorization_url(given["redirect_uri"])
    _say({"authorization_url": asked["url"]})

    answered = {name: values[0] for name, values in parse_qs(urlsplit(sys.stdin.readline()).query).items()}
    if answered["state"] != asked["state"]:
        raise ValueError("another state")
    token = relying_party.fetch_access_token(
        given["redirect_uri"], code=answered["code"], code_verifier=asked["code_verifier"]
    )
    claims = relying_party.parse_id_token(token, asked["nonce"])
    userinfo = relying_party.userinfo(token=token)

    metadata = relying_party.load_server_metadata()
    with OAuth2Session(given["client_id"], given["client_secret"], token=token) as session:
        refreshed = session.refresh_token(metadata["token_endpoint"])
        refreshed_claims = relying_party.parse_id_token(refreshed, None)  # which need not repeat it

        def introspect() -> Any:
            url = metadata["introspection_endpoint"]
            return session.introspect_token(url, refreshed["access_token"], "access_token").json()

        introspection = introspect()
        session.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"], "refresh_token")
        return {
            "claims": claims,
            "userinfo": userinfo,
            "refreshed_sub": refreshed_claims["sub"],
            "introspection": introspection,
            "revoked": introspect(),
        }


if __name__ == "__main__":
    try:
        _say(_converse())
    except Exception as error:
        _say({"error": f"{type(error).__name__}: {error}"})
