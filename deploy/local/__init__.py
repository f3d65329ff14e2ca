"""The parts of `ostiary run`: embedded stores, the reverse proxy, their supervisor and the demo credentials.

More than a dozen modules: one for each program, and one for each duty of the supervisor.

The proxy never sends `Strict-Transport-Security`, not even for an https issuer: browsers would apply it to
every port of `localhost`, where other programs serve plain http.
"""
