"""What the device page is made of: user codes, and the pages themselves (RFC 8628 §3.3)."""
