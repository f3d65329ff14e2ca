"""The tests, one folder for each kind.

- `unit`: pure rules and single modules, without servers.
- `contract`: the stores and their ports, on real PostgreSQL and Redis.
- `service`: one service over HTTP, in this process, with real stores.
- `flow`: whole deployments: commands, proxies, browsers, and the documentation's examples.
- `security`: attacks on the running system; `cases.md` lists them.
- `fault`: deployments whose processes and connections are killed under load.
- `interop`: relying parties, devices and resource servers by others.
- `packaging`: the wheel, installed and run.
- `upgrade`: the present release beside an earlier one, under load.
- `rules`: the structure of the code, and the consistency of documentation and code.
- `planted`: defects that tests must catch.
- `mutants`: mutation testing. `fuzz`: random input. `bench`: the cost of requests. `runs`: their record.

Modules in this folder are fixtures and helpers that several kinds share. `points.md` lists the behaviour that
OpenID Connect requires, and `conformance.md` the specifications, each row with its tests.
"""
