"""`python -m convspec`: the command line."""

from convspec.cli import main

main()
