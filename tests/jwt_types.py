"""Types of JWTs made for uses other than client authentication, requests and software statements."""

OTHER_TYPES = (
    "at+jwt",  # RFC 9068
    "application/at+jwt",
    "AT+JWT",
    "dpop+jwt",  # RFC 9449
    "logout+jwt",  # OpenID Connect Back-Channel Logout 1.0
    "secevent+jwt",  # RFC 8417
    "token-introspection+jwt",  # RFC 9701
    "id_token+jwt",
    "entity-statement+jwt",  # OpenID Federation 1.0
    "kb+jwt",  # SD-JWT
)
