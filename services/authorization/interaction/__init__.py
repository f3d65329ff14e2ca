"""A request that waits for a person, and what comes next for it."""
