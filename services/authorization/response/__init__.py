"""The response to a client: the only code that sends anything to a redirect URI."""
