"""Clients: the record and its metadata, the rules for them, keys, secrets, and authentication.

A client that registers itself may use private-use redirect schemes only if they derive from a domain name
(RFC 8252 §7.1). An operator may allow others. No client may use a scheme that starts a program with
arguments (`uri_schemes.py`).

More than a dozen modules: one for each group of rules.
"""
