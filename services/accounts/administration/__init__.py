"""The administration of users, groups, sessions and grants by program, and its OpenAPI description.

The functions beneath are those of the commands `ostiary user`, `group` and `session`. Nothing here shows or
changes a second factor or a passkey.
"""
