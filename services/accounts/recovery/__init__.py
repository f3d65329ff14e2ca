"""The way back in for users who have lost their password. Nobody is signed in here.

A link is only a page: it is spent by the form on it, in the browser that has the page's cookie. So programs
that open links in mails before people do spend nothing.
"""
