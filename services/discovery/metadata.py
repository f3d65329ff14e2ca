"""The provider metadata: OpenID Connect Discovery 1.0 §3, RFC 8414 §2. Pure."""

from collections.abc import Sequence
from typing import Any

from shared.config.settings import Settings
from shared.oauth import supported
from shared.oauth.authentication_methods import acr_values
from shared.oauth.tokens.jwe import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS
from shared.paths import PATHS, Group


def provider_metadata(settings: Settings, signing_algorithms: Sequence[str]) -> dict[str, Any]:
    """The metadata document of this deployment, given the algorithms for which it has keys."""
    endpoints = {
        path.member: path.at(settings.issuer)
        for path in PATHS
        if path.member and path.group is Group.PUBLIC and _is_on(path.member, settings)
    }
    methods = supported.TOKEN_ENDPOINT_AUTH_METHODS
    endpoint_methods = {
        "token": methods,
        "revocation": methods,
        "introspection": tuple(method for method in methods if method != "none"),
    }
    implicit = ("implicit",) if settings.response_types != ("code",) else ()
    grant_types = (*supported.GRANT_TYPES, *implicit)
    authentication = {
        f"{endpoint}_endpoint_auth_{member}": values
        for endpoint, accepted in endpoint_methods.items()
        for member, values in (
            ("methods_supported", accepted),
            ("signing_alg_values_supported", supported.CLIENT_ASSERTION_ALGORITHMS),
        )
    }
    return {
        "issuer": settings.issuer,
        **endpoints,
        "response_types_supported": settings.response_types,
        "response_modes_supported": supported.RESPONSE_MODES,
        "grant_types_supported": grant_types,
        "subject_types_supported": supported.SUBJECT_TYPES,
        "scopes_supported": supported.SCOPES,
        "claims_supported": supported.CLAIMS,
        "claim_types_supported": ("normal",),
        "id_token_signing_alg_values_supported": signing_algorithms,
        **authentication,
        "code_challenge_methods_supported": supported.CODE_CHALLENGE_METHODS,
        "acr_values_supported": acr_values(has_second_factors=settings.has_second_factors),
        "prompt_values_supported": supported.prompt_values(may_sign_up=settings.may_sign_up),
        "ui_locales_supported": settings.ui_locales,
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "request_object_signing_alg_values_supported": (
            *supported.REQUEST_OBJECT_ALGORITHMS,
            *((supported.UNSIGNED,) if settings.unsigned_request_objects else ()),
        ),
        **_protected_responses(signing_algorithms),
        "authorization_signing_alg_values_supported": signing_algorithms,  # JARM §4
        "require_pushed_authorization_requests": settings.require_pushed_authorization_requests,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "authorization_response_iss_parameter_supported": True,  # RFC 9207 §3
        **({"client_id_metadata_document_supported": True} if settings.client_id_metadata != "off" else {}),
    }


def _protected_responses(signing_algorithms: Sequence[str]) -> dict[str, Sequence[str]]:
    """OpenID Connect Discovery 1.0 §3, RFC 9701 §7."""
    encryptions = {
        f"{response}_encryption_{member}_values_supported": values
        for response in ("id_token", "userinfo", "introspection")
        for member, values in (("alg", ENCRYPTION_ALGORITHMS), ("enc", CONTENT_ENCRYPTIONS))
    }
    signatures = {
        f"{response}_signing_alg_values_supported": signing_algorithms
        for response in ("userinfo", "introspection")
    }
    return {**signatures, **encryptions}


def _is_on(member: str, settings: Settings) -> bool:
    match member:
        case "registration_endpoint":
            return settings.registration != "closed"
        case "check_session_iframe":
            return settings.session_management
    return True
