"""The accounts service: what people do with their own account, and what programs do with everybody's.

`administration/` is for programs with an access token. `self_service/` is for people. A change of a password
there, step by step:

1. `app.py` has a row for `/oidc/account/password`, which says that the page is sensitive. `page_routes.py`
   opens every page by the same rules before it calls the page.
2. `visit/access.py` finds the session of the browser. Without one, or if the user signed in too long ago,
   `visit/sign_in.py` makes an authorization request of this server's own client
   (`shared/oauth/client/account.py`): the authorization service signs the user in and leads back to the page.
3. The form comes back. Its token must be one of that session, and the sign-in must still be fresh. The result
   is a `visit/visit.py`: the user, the language, and the fields of further forms.
4. `self_service/password.py` lets `shared/operations/new_password.py` judge and hash the password. It is
   stored, and the other sessions end, in one transaction.
5. Only then `visit/done.py` leads the browser to the first page, which says what was done.

Everything that ends is committed in PostgreSQL before it is acknowledged, and compared at its next use. No
access token opens the pages: they are for the user's own browser alone.
"""
