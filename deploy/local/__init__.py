"""What `ostiary run` needs: embedded stores, the reverse proxy, their supervisor, the demo's credentials.

More than a dozen modules: one for each program that is started, and one for each duty of their supervisor.

The proxy never sends `Strict-Transport-Security`, not even for an https issuer: browsers would apply it to
every port of `localhost`, where other programs serve plain http.
"""
