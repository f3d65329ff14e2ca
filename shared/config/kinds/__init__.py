"""The kinds of values of settings: their form, and what is rejected."""
