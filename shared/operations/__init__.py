"""The operators' functions for users, groups, clients and keys, over ports.

More than a dozen modules: one for each kind of record, and one for each file format and each check.
"""
