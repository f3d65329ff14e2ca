"""The sender of a token: the key, if any, that a token is bound to, and that its holder proves. Pure."""
