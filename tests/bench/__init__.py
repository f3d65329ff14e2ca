"""The cost of a request in round trips and CPU time: `python -m tests.bench --help`.

One process generates load (`load.py`). It runs scripts (`scripts.py`) with the users and tokens of a
population (`population.py`).
`filler.py` adds other rows. Real services, stores and a reverse proxy answer (`deployment.py`). Their CPU
time is read from /proc (`cpu.py`) and compared with that of `hello.py` under the same load (`measure.py`,
`table.py`).

One processor runs the measured processes, including hello, and the others run everything else, so that caches
and the scheduler do not disturb a row. On a single processor nothing is separated. Each row is the median of
three rounds. For rows behind the proxy, hello is behind it too, because waking a process for each request has
a cost of its own.
"""
