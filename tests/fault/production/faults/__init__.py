"""The functions that bring the faults about."""
