"""Tokens and keys: access, refresh and ID tokens, JWT, JWE, handles."""
