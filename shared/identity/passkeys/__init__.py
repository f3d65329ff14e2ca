"""Passkeys: the rules of both ceremonies of WebAuthn Level 3, on top of the library `webauthn`.

The page gets options, the browser signs their challenge, and the page sends the result back as JSON:

1. `challenge`: made for one ceremony and one browser. It is stored nowhere, so a page costs no round trip.
2. `options`: what the browser is asked, for a new passkey or for a sign-in.
3. `response`: the result, read but not verified.
4. `verification`: the result against the challenge, the relying party and the stored passkey.
5. `signals`: what the browser is told afterwards.

The caller spends each challenge as a replay mark before the result counts. Discoverable credentials only: the
authenticator names the user, so the login page asks for no name and gives none away.
"""
