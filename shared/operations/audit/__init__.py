"""The audit log: its rows are sealed in segments, each of which names the one before, and are verified."""
