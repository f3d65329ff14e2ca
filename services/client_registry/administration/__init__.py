"""The administration of clients and protected resources, and its OpenAPI description.

`shared/administration/guard.py` decides who may call it.
"""
