"""A request that waits for a user, and the next step for it.

An interaction, or a form shown before sign-in, is bound to a handle in a cookie. Each handle has its own
cookie name, so tabs that start at the same time keep theirs. A duplicate cookie of an https issuer is
rejected with 400, because no browser sends it.

Claims requested by name that no granted scope releases also need consent, and the consent records them:
consent to `openid` is not consent to an e-mail address. For clients with `skip_consent`, claims outside the
registered scope are omitted (OpenID Connect Core 1.0 §5.5).
"""
