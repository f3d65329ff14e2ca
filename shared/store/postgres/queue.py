"""The statements of a table whose rows wait for delivery: `tries`, `due_at`, and a key. Pure."""


def take_due(table: str, key: str, columns: str, condition: str = "true") -> str:
    """Take at most $3 rows that are due at $1. Until $2, when they are due again, nobody else gets them."""
    return f"""
WITH due AS MATERIALIZED (
  SELECT {key} AS due_id FROM {table} o WHERE due_at <= $1 AND {condition}
   ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
UPDATE {table} SET tries = tries + 1, due_at = $2 FROM due WHERE {key} = due_id RETURNING {columns}"""


def settle(table: str, key: str) -> str:
    """Remove a row that was delivered."""
    return f"DELETE FROM {table} WHERE {key} = $1"


def put_off(table: str, key: str, condition: str = "true") -> str:
    """Let a row be due at $2."""
    return f"UPDATE {table} SET due_at = $2 WHERE {key} = $1 AND {condition}"
