"""The token service: the token, introspection, revocation, userinfo and device authorization endpoints."""
