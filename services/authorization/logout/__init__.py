"""RP-initiated logout, front-channel logout and session management.

A logout, step by step:

1. `shared/web/form.py` reads the query of `/oauth2/sessions/logout`.
2. `end_session.py` receives it and keeps the order of what follows: parse, decide, end, tell, answer.
3. `logout_request.py` parses it and verifies the `id_token_hint`. It also says which return URI is valid.
4. `shared/browser/cookies.py` yields the handles of every session that the browser presents.
5. `decision.py` decides: end the sessions, ask the user first, or just return.
6. `shared/store/sessions.py` ends each session. The end is committed in PostgreSQL, together with the notices
   that the worker sends to back-channel clients.
7. `front_channel.py` collects the URIs of the clients that are notified through the browser, in frames.
8. `responses.py` answers: it deletes the cookies and redirects to the return URI, or first shows a page with
   the clients' frames. If a store fails before that, the browser keeps its cookies and gets a 503 page whose
   form repeats the logout.

If the user is asked first, the form of the confirmation page comes back to `end_session.py` with the decision
already made. `session_management.py` serves the iframe with which clients notice a logout.
"""
