"""`python -m services.cli` is `ostiary`."""

from services.cli import main

if __name__ == "__main__":
    main()
