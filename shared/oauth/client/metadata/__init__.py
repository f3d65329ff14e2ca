"""Client metadata: from the declaration in `record` to JSON, validation, profiles and defaults."""
