"""The response to a client: the only code that sends anything to a redirect URI.

If a client registered itself, no redirect opens a program on the user's device before the user has answered
a page in that flow. A remembered consent is asked again, and an error waits for a click, even with
`prompt=none`.
"""
