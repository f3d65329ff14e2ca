"""The reasons why a client's requests were refused, and their remedies."""
