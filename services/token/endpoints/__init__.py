"""The endpoints of the token service."""
