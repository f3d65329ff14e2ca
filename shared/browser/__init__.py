"""Code that services with pages share.

The accounts service will be the second service that uses it.
"""
