"""Faults of whole deployments: real processes and stores, a load that logs every operation, and a checker.

`topology` starts the processes, `load` drives them as clients do that repeat what was answered 503, `history`
holds every operation with its outcome, and `checker` reads a finished history and names what must not be in
it. The checker has tests of its own with planted violations.
"""
