"""All services in one process, for small installations: `python -m services --listen HOST:PORT`."""

import sys

from services.cli import main

if __name__ == "__main__":
    main(["serve", "all", *sys.argv[1:]])
