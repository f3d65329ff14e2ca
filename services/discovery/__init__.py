"""Discovery: provider metadata and the JWK Set, from memory. It stays up with both stores down."""
