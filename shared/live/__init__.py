"""State that a process keeps up to date in memory, and the loops that refresh it.

More than a dozen modules: one for each kind of state.
"""
