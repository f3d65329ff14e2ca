"""Client metadata: its members, the rules that hold for them, keys, secrets, and authentication."""
