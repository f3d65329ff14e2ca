"""The connections to PostgreSQL: the pool, statements, transactions and faults."""
