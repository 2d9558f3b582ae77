"""`python -m recommender`: the command line, for this interpreter."""

from recommender.cli import main

main()
