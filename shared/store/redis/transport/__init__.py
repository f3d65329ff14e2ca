"""The connection to Redis that all requests of a process share, to one server or to several."""
