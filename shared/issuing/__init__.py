"""Issuing and reading tokens with the keys of this process, and authenticating the clients that ask.

Where Redis may have lost a `jti`, a client assertion issued before the loss is answered with 503, not with
`invalid_client`: nobody knows whether it was used. A client that retries with a fresh assertion is served. A
deployment that never had a replay key has lost none, so its first assertions are judged normally.
"""
