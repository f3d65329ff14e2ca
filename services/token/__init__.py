"""The token service: tokens are issued, introspected, revoked and spent on userinfo here."""
