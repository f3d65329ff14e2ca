"""How records are written in the stores, and read back."""
