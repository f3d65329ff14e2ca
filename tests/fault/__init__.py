"""Faults of whole deployments: real processes and stores, a load that logs every operation, and a checker.

`topology` starts the processes, `load` acts as clients that repeat requests after a 503, `history` records
every operation with its outcome, and `checker` finds violations in a finished history. The checker has tests
of its own with planted violations.
"""
