"""Whether a server is fit to be used: it accepts writes, and gives up before its clients do.

Read through the same connections as everything else: what a pooler or a role does to a session counts.
"""

from datetime import timedelta

from shared.store.postgres.transport.connection import PATIENCE, SERVER_TIMEOUTS, Row

STATE_COLUMNS = ", ".join(
    (
        "current_setting('transaction_read_only') = 'on' AS is_read_only",
        *(f"current_setting('{name}')::interval AS {name}" for name in SERVER_TIMEOUTS),
    )
)
"""Columns of a SELECT: `is_read_only`, as on a standby, and what `timeout_fault` reads."""


def timeout_fault(row: Row) -> str | None:
    """What is wrong with the timeouts of a session; None: each is on, and less than a caller's patience."""
    patience = timedelta(seconds=PATIENCE)
    wrong = [name for name in SERVER_TIMEOUTS if not timedelta(0) < row[name] < patience]
    if not wrong:
        return None
    statements = "; ".join(f"ALTER ROLE … SET {name} = '{SERVER_TIMEOUTS[name]}ms'" for name in wrong)
    return f"{', '.join(wrong)} must be on and less than {PATIENCE:.0f} s: {statements}"
