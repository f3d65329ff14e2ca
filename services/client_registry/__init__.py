"""Client registration over HTTP: RFC 7591, RFC 7592. Operators make clients by the command line."""
