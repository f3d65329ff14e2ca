"""An upgrade and its rollback, with an earlier release and the present one side by side under load.

`releases.py` takes earlier states from the history, `sides.py` starts two of them over the same stores,
`balancer.py` spreads requests over them, `person.py` makes the requests and keeps everything that they give,
and `rehearsal.py` has the order of events. `make upgrade-test` rehearses every release at length; the test
takes the oldest, briefly.
"""
