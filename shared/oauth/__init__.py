"""The protocol's rules: pure functions and frozen values. No clock, no randomness, no I/O."""
