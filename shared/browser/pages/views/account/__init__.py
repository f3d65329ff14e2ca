"""The contents of the account pages as values."""
