"""What a request costs, at the sockets and in CPU time: `python -m tests.bench --help`.

One process makes the load (`load.py`) and works scripts off (`scripts.py`) that draw on a population
(`population.py`); real services, stores and a reverse proxy answer (`deployment.py`); their CPU time is read
from /proc (`cpu.py`) and compared with what `hello.py` costs under the same load (`measure.py`, `table.py`).

One processor runs what is measured, hello included; the others run everything else, so that caches and
schedulers disturb no row. On a single processor nothing is separated. Each row is the median of three
rounds. Behind the proxy, hello stands behind one too, because waking a process for each request has a cost
whatever it answers.
"""
