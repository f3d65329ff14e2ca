"""Tokens and keys: access, refresh and ID tokens, JWT, JWE, handles.

JWT access tokens are signed with ES256, and with RS256 only if the deployment has no ES256 key. Resource
servers find the algorithm in the JWK Set. An RS256 signature would cost a quarter of a millisecond more for
each token.
"""
