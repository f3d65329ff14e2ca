"""State that a process keeps up to date in memory, and the loops that do it."""
