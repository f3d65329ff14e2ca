"""Encodings: JSON with limits, base64url, and values encrypted with a secret key. Pure."""
