"""A deployment as in production, and its faults: `make faults`, or `python -m tests.fault.production --help`.

Three processes of each service behind nginx, PostgreSQL with two synchronous standbys, and Redis with two
replicas and three Sentinels. In other layouts there is PgBouncer before PostgreSQL, or a Redis Cluster.
Relying parties run full flows all the time, and log every operation. Each fault is a row of `table`, with a
function that brings it about. A checker judges the history of each run offline. One known fault is not
here: F33, a migration while both versions serve: `make upgrade-test` is about it.
"""
