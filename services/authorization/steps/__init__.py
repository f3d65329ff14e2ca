"""One page each: login, sign-up, account selection, consent, device, and the pages beside them."""
