"""The ports over PostgreSQL. SQL stands beside its method as a named constant."""
