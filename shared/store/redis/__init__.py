"""The ports over Redis 7.0 or Valkey 7.2 and later. Each object has one `{hash-tag}`, for Redis Cluster.

More than a dozen modules: one for each port.
"""
