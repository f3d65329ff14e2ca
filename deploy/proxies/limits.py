"""What every proxy enforces, whatever the deployment."""

BODY_LIMIT, HEADER_LIMIT = 64 * 1024, 32 * 1024  # bytes: legitimate requests are small
HTTPS_ONLY = ("Strict-Transport-Security", "max-age=31536000")
CIPHERS = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}
"""The cipher suites of TLS 1.2 by their names in OpenSSL, with those of the registry (RFC 9325 §4.2)."""
