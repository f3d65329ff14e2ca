"""Authentication: browser sessions, their cookies, and limits on password attempts.

A user who signs in again in the same browser keeps the `sid` under a new session key, so other clients'
grants of that session continue. The session of another user in that browser ends, unless several accounts
were requested.

Throttling does not end sessions or grants. Otherwise anyone could sign users out by guessing passwords. To
lock a user out, disable the user.
"""
