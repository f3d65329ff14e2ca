"""The settings: where each comes from, the kinds of value they have, and the addresses of stores."""
