"""Sending mails: rendered in the language of their reader, and handed to the mail server of the settings.

A mail is sent at least once. Its Message-ID is the same at every attempt.
"""
