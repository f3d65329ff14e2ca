"""The token service: the token, introspection, revocation, userinfo and device authorization endpoints.

A refresh, step by step, from a refresh token to its successor:

1. `app.py` routes `/oidc/oauth2/token` to `endpoints/token.py`, which leads through what follows.
2. `shared/web/form.py` reads the parameters.
3. `shared/issuing/client_authentication.py` authenticates the client.
4. `grants/__init__.py` has the grant of each `grant_type`, here `grants/refresh_token.py`. It gets the
   request as one value (`grants/request.py`), the stores and issuers as another (`grants/collaborators.py`).
5. `shared/oauth/tokens/refresh_token.py` parses the token.
6. `grants/resources.py` finds the APIs that the request names, and `shared/oauth/resource/target.py` the form
   of an access token for them.
7. `grants/renewal.py` makes the candidate for its successor. `shared/store/postgres/refresh_families.py`
   decides by one statement: the presented token is spent and the candidate succeeds it; or it was spent a
   moment ago, and the same successor is issued again; or it was spent before that, and the family ends. The
   same row has the grant and its user.
8. `grants/admission.py` refuses a user whom the client does not admit any more.
9. `grants/answer.py` puts the answer together: `shared/issuing/tokens.py` makes the access token and the ID
   token from keys in memory.

Every check that needs no grant comes before step 7, so a request that fails one has spent nothing. An error
is answered by `endpoints/errors.py`. `endpoints/__init__.py` makes the endpoints when the service starts.
"""
