"""Encodes and decodes the records of the stores."""
