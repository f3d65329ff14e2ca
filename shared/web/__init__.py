"""The HTTP side of handlers: forms, headers, responses, cross-origin requests and bearer tokens."""
