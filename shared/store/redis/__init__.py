"""The ports over Redis 7.0 or Valkey 7.2 and later. One `{hash-tag}` an object, so that Cluster works."""
