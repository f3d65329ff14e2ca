"""The authorization service. A sign-in, step by step, from a client's request to an authorization code:

1. `authorize.py` receives the request at `/oauth2/auth`, and every return from a step.
2. `request/reader.py` finds the client and leads through the validation of the request:
   `request/parameter_source.py` finds the parameters that count (query, request object or pushed request),
   `response/callback.py` validates the redirect URI, and `request/validation.py` the rest. The result is an
   `request/authorization_request.py`.
3. `interaction/dispatcher.py` finds the current user, by `shared/browser/active_session.py`, and asks
   `interaction/next_step.py`, the one place of decision. Nobody is signed in: log in.
4. `interaction/lifecycle.py` stores the request as an interaction (`interaction/interaction.py`), bound to
   this browser, and opens it as a context (`interaction/context.py`) for every page that follows.
5. `steps/login.py` shows the login page and receives its form.
6. `authentication/password.py` checks the password, within the limits of `authentication/throttling.py`, and
   returns the user, the methods and the time (`authentication/authenticated.py`).
7. `interaction/sign_in.py` lets `authentication/new_session.py` begin a session, records it in the
   interaction, and redirects to the authorization endpoint, where the dispatcher decides: consent.
   If a second factor is missing, no session begins yet: the interaction records what the user has proven
   (`authentication/proven.py`). `steps/second_factor.py` asks for the rest, or `steps/add_second_factor.py`
   adds what the user lacks. `steps/replace_password.py` replaces a temporary password in between.
8. `steps/consent.py` shows the consent page, stores the decision and ends the interaction.
9. `response/responder.py` lets `response/builder.py` make the code, and sends it by the callback.

An error before the callback exists is shown by `shared/server/pages.py`; every later one goes to the client.
`pushed.py` runs step 2 alone; `logout/` has a walk of its own. `app.py` routes requests to the endpoints,
which `wiring/` makes when the service starts.
"""
