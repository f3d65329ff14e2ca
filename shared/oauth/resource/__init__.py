"""Protected resources: the APIs that clients request access tokens for (RFC 8707, RFC 9728). Pure."""
