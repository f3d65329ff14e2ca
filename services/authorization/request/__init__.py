"""An authorization request: where its parameters come from, and whether they hold."""
