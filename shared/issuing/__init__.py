"""Issuing and reading tokens with the keys of this process, and authenticating clients.

If Redis may have lost a `jti`, a client assertion issued before the loss gets 503 rather than
`invalid_client`, because it may or may not have been used. The client can retry with a new assertion. A
deployment that never had a replay key has lost none, so its first assertions are accepted.
"""
