"""The parameters of an authorization request that this server knows. Pure."""

KNOWN = frozenset(
    {
        "acr_values",
        "claims",
        "claims_locales",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "display",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
"""Others are ignored, even if repeated (RFC 6749 §3.1)."""

SINGLE = KNOWN - {"resource"}
"""The parameters that may come only once: all but `resource` (RFC 8707 §2)."""
