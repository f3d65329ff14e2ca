"""The pages of a user's own account. More than a dozen modules: one for each page.

A user reaches nobody else's records: every statement is for the user of the session, and identifiers in forms
only choose among that user's own.
"""
