"""The protocol's rules: functions and frozen values. Pure: no clock, no randomness, no I/O."""
