"""What the administration APIs share: their guard, requests and lists, and their OpenAPI documents.

The client registry administers clients and protected resources. The accounts service administers users,
groups, sessions and grants.
"""
