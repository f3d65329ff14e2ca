"""The parts of the OpenAPI 3.1 documents of the administration."""
