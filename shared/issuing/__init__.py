"""Issuing and reading tokens with the keys of this process, and authenticating the clients that ask."""
