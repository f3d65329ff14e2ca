"""The protocol's rules: functions and frozen values. Pure: no clock, no randomness, no I/O.

More than a dozen modules: one for each thing that the specifications name.
"""
