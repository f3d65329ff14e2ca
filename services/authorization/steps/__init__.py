"""One page each: login, sign-up, account selection, consent, device, and the pages beside them.

`prompt=create` is refused and not announced unless `OSTIARY_SIGN_UP` is `open`: self-registration is the
operator's choice. With a hint that names an existing user it contradicts itself, and is refused before any
page is shown.
"""
