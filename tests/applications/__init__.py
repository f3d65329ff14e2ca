"""Applications that we did not write sign a person in, with what `ostiary client add --for NAME` printed.

One folder for each has what its environment is made of, and one module drives it as a person does. Modules
whose names begin with `test_` are the quickest and run with every other test; `make applications` runs all
and writes README.md.
"""
