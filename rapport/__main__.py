"""python -m rapport: the command `rapport`, where no script of that name is installed."""

from rapport.flows.command import main

main(prog_name="rapport")
