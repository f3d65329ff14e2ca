"""Units for one machine: one for each service, the migration before them, and the target of all."""
