"""The ports over PostgreSQL. SQL stands beside its method as a named constant.

More than a dozen modules: one for each port. Connections are in `transport`.

The connection pool is our own. `transport/pool.py` says what it saves over asyncpg's, and what it lacks.

Revoking a consent raises the user's `epoch` and carries the sessions and other clients' grants over to the
new one. Pending codes, which no statement can see, become invalid. Other clients have to request at most one
code again.
"""
