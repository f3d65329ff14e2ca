"""What the administration APIs share: their guard, requests and lists, and their OpenAPI documents.

The client registry administers clients and protected resources. The accounts service administers users,
groups, sessions and grants.

A caller is a client with an access token of its own, or an administrator: a user in a group with
administration scopes. A client acts for a user with an access token from a recent sign-in, if an operator has
marked the client (`allow_administration`). A token has the rights in its scope for which its client is
registered and which, for a user, one of their groups has. Nobody gives or changes more rights than they have
(`shared/operations/rights.py`), so no sequence of calls raises the rights of a caller.
"""
