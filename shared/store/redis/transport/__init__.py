"""The connections to Redis that all requests of a process share, to one server or to several.

A command is repeated only if Redis said that it did not execute it (MOVED, ASK, TRYAGAIN, NOSCRIPT). A lost
reply is 503, even if another node or primary takes over: a value that may be spent once is never spent
twice.
"""
