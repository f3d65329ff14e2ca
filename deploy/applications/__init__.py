"""Presets: what Ostiary and an application have to be told so that the application signs its users in.

Each application is one file of data, `NAME.toml`. `ostiary client add --for NAME` registers the client that
the file describes and prints the lines that belong into the application.
"""
