"""Device codes and what the device page does with them: its forms and the decision (RFC 8628 §3.3)."""
