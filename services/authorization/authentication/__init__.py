"""Authentication: browser sessions, their cookies, and limits on password attempts.

A user who signs in again in the same browser keeps the `sid` under a new session key, so other clients'
grants of that session continue. The session of another user in that browser ends, unless several accounts
were requested.

A sign-in may be lost: its process is killed, or a store goes away, after the session has begun and before
the browser has its cookie. The browser sends the form again. So the handle of a session is derived from the
form, its browser and its user, with the deployment's secret key. A form that is sent again, even while the
first is still being answered, gets the cookie of the same session, and no session stays that nobody can sign
out of. A random key, and an identifier of the attempt beside it, was considered. It fails when a form is sent
twice at once: the key of the answer that the browser ignores may be the last to be committed.

A user with a second factor has no session until they have shown it. A code that is accepted is spent for the
session that its form begins. Sent again, the form goes on with that session, even if it had not begun yet. No
other form can use the code. The id of a user who signs up is derived from the form, too: sent again, it signs
in the user that it has added.

Throttling does not end sessions or grants. Otherwise anyone could sign users out by guessing passwords. Nor
does it slow a browser in which the user has signed in before. To lock a user out, disable the user.
"""
