"""The log: structured lines on standard error, and one line for each answered request."""
