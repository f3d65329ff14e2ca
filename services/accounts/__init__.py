"""The accounts service: what people do with their own account, and what programs do with everybody's.

`administration/` is for programs with an access token. `self_service/` is for people. A change of a password
there, step by step:

1. `app.py` routes `/oidc/account/password` to `self_service/password.py`.
2. `self_service/access.py` finds the session of the browser. Without one, or if the user signed in too long
   ago, `self_service/sign_in.py` makes an authorization request of this server's own client
   (`shared/oauth/client/account.py`): the authorization service signs the user in and leads back to the page.
3. The form comes back with a token of that session, which is checked, as is that the sign-in is still
   fresh.
4. The password is hashed and stored, and the other sessions end, in one transaction. Only then the browser is
   redirected to the first page, which says what was done.

Everything that ends is committed in PostgreSQL before it is acknowledged, and compared at its next use. No
access token opens the pages: they are for the user's own browser alone.
"""
