"""State that a process keeps fresh in memory, and the loops that keep it so."""
