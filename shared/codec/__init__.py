"""Encodings: JSON within limits, base64url, and values wrapped under a secret key. Pure."""
