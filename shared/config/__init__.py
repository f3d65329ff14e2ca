"""The settings: their sources, the kinds of their values, and the addresses of stores."""
