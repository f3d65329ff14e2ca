"""Named profiles, and the members that each fills in by default. Code asks the field, never the profile."""

from collections.abc import Mapping
from types import MappingProxyType

from shared.model import Json

PROFILES: Mapping[str, Json] = MappingProxyType(
    {
        "default": {},
        "cells-legacy": {
            "require_pkce": False,
            "claims_mapping": {"name": "username"},
            "id_token_claims": ["name", "email", "authSource", "sid", "rat"],
        },
        "fapi2": {
            "token_endpoint_auth_method": "private_key_jwt",
            "require_pkce": True,
            "require_pushed_authorization_requests": True,
            "refresh_token_rotation": False,
            "assertion_audience": "issuer",
            "id_token_signed_response_alg": "ES256",
        },
    }
)
