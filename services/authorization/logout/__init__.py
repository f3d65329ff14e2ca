"""RP-initiated logout, front-channel logout and session management.

A logout, step by step:

1. `shared/web/form.py` reads the query of `/oauth2/sessions/logout`.
2. `end_session.py` receives it and keeps the order of what follows: parse, decide, end, tell, answer.
3. `logout_request.py` parses it and verifies the `id_token_hint`. It also says which return URI is valid.
4. `shared/browser/cookies.py` yields the handles of every session that the browser presents.
5. `decision.py` decides: end the sessions, ask the user first, or just return.
6. `shared/store/sessions.py` ends each session. The end is committed in PostgreSQL, together with the notices
   that the worker sends to back-channel clients.
7. `front_channel.py` collects the URIs to frame for the clients that are told through the browser.
8. `responses.py` answers: it drops the cookies and redirects to the return URI, or shows a page that frames
   the clients first. If a store fails before, the browser keeps its cookies and gets a 503 page whose form
   repeats the logout.

A user who is asked first comes back by the form of the confirmation page, which `end_session.py` receives
with the decision already made. `session_management.py` serves the iframe by which clients notice a logout.
"""
