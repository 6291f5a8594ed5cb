"""`python -m bridge.cli`: the same as the console script."""

from bridge.cli import main

main()
