"""Rules about people and how they are known. Pure."""
