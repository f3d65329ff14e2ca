"""The container image: how it is built, and the list of what is in it."""
