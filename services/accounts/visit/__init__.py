"""What the pages of the account have in common: who may open one, and what it knows of its user."""
