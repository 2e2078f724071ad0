"""`python -m factorgrid`: the command line."""

from factorgrid.cli import main

if __name__ == "__main__":  # processes that scoring starts import this file too
    main()
