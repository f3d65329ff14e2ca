"""Dynamic registration: RFC 7591 and RFC 7592.

A client that registered itself counts as used once it has received a token or has a grant or a consent. Uses
are noted in memory and written within seconds, off the request. Only clients that were never used expire.

The quota applies only to open registration. Invited clients were already counted by the operator, and a quota
must not use up a token.

An update is checked by the resulting record: a client that becomes public needs PKCE and consent, and keeps
what its profile prescribes. The response repeats the registration access token that was presented. The token
is not rotated, because only its hash is stored.
"""
