"""What the record of a user may contain: names, passwords, claims, groups and roles."""
