"""`python -m factorgrid`: the command line."""

from factorgrid.cli import main

main()
