"""Telling clients about sessions that have ended (OpenID Connect Back-Channel Logout 1.0)."""
