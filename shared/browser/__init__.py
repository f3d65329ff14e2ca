"""What services with pages share about the browser in front of them.

The accounts service will be the second service that uses it.
"""
