"""Traces of requests, sent over OTLP/HTTP as JSON. Off by default: then nothing here runs.

A sampled request has at most three spans: the request itself, and its time in Redis and in PostgreSQL.
`spans.py` has the records, what they may say, and their encoding; `recorder.py` decides which requests are
traced, and sends.

This is no SDK of OpenTelemetry, because that costs each request more than many responses do. Measured on the
machine of `tests/bench`: a request that is not sampled 12 µs with the SDK and half a microsecond here, where
`hello` takes 25; 512 spans 23 ms to encode as protobuf, in a thread that takes the interpreter's lock from
the event loop meanwhile, and 1.5 ms here; and 14 packages more. What is lost against it: links, events and
baggage, other samplers and exporters, compression, and repeated exports. Spans that cannot be delivered are
dropped.
"""
