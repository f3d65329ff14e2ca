"""Presets: the settings of Ostiary and of an application that let the application sign its users in.

Each application has a data file, `NAME.toml`. `ostiary client add --for NAME` registers the client that the
file describes, and prints the lines to enter in the application.
"""
