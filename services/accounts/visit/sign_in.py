"""The request by which a page of the account signs its user in, again, or by a second factor. Pure."""

import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from shared.browser.language import UI_LOCALES
from shared.oauth.client.account import ACCOUNT_CLIENT_ID
from shared.paths import AUTHORIZATION, Path


def sign_in_uri(
    issuer: str,
    page: Path,
    *,
    max_age: timedelta | None = None,
    acr: str | None = None,
    username: str | None = None,
    ui_locales: str | None = None,
) -> str:
    """An authorization request that leads back to *page*.

    *max_age*: the user signs in again if they did so earlier (OpenID Connect Core 1.0 §3.1.2.1). *acr*: the
    authentication context class that the session must reach (§5.5.1.1). *username* is proposed.
    """
    essential = {"id_token": {"acr": {"essential": True, "values": [acr]}}}
    parameters: Mapping[str, str | None] = {
        "client_id": ACCOUNT_CLIENT_ID,
        "redirect_uri": page.at(issuer),
        "response_type": "code",
        "scope": "openid",
        "max_age": None if max_age is None else str(int(max_age.total_seconds())),
        "claims": json.dumps(essential) if acr else None,
        "login_hint": username,
        UI_LOCALES: ui_locales,
    }
    request = {name: value for name, value in parameters.items() if value is not None}
    return f"{AUTHORIZATION}?{urlencode(request)}"
