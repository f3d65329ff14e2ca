"""How many processes, which PostgreSQL and which Redis carry a load: `python -m deploy.capacity`.

`model.py` computes it from costs that were measured. `bench.json` is what `python -m tests.bench --json`
printed, on the day and the machine that it names. `growth.json` is what many flows added to a database.
"""
