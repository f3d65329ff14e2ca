"""The pages, one module each: login, second factor, sign-up, account selection, consent, device, and others.

`prompt=create` is refused and not announced unless `OSTIARY_SIGN_UP` is `open`: self-registration is the
operator's choice. Together with a hint that names an existing user, it is refused before any page is shown.
"""
