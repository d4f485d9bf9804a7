"""`rapport`: one command for everything. A command's own module is imported only when the command runs.

Each module has `main(arguments)`, which returns an exit status; it reads its own options.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from rapport import __version__
from rapport.warehouse.errors import RapportError
from rapport.warehouse.toml_keys.kinds import nearest

# Per group: the name of each command, its module under rapport, and its help text.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Begin": {
        "key": ("flows.private.key", "make the key from which pseudonyms are made"),
        "draft": ("transforms.sources.__main__", "draft a clinic file from a folder of exports"),
        "demo": ("flows.demo.demo", "write the exports of a demo clinic"),
    },
    "Nights": {
        "check": ("flows.check.command", "say everything that is wrong with the exports before a night"),
        "night": ("flows.nightly", "load what came, check it, compute it, publish it"),
        "backfill": ("flows.ops.backfill", "load the exports of the past, one night per period"),
        "serve": ("flows.scheduled.serve", "run a Prefect server and the nights on their schedule"),
        "deploy": ("flows.scheduled.deploy", "register the nights with a Prefect server"),
    },
    "Look": {
        "freshness": ("flows.ops.freshness", "say whether the night that was due has published"),
        "query": ("flows.ops.query", "ask the published file in SQL"),
        "pages": ("flows.pages.draw", "draw the pages"),
        "worklist": ("flows.pages.worklist", "write the worklist: whom to think of before the next session"),
        "tell": ("flows.messages.tell", "send a trial message"),
    },
    "Mend": {
        "inbox": ("flows.ops.inbox", "list, show or discard the rows that were held back"),
        "verify": ("flows.ops.verify", "compute everything again and compare"),
        "restore": ("flows.ops.restore", "list the kept versions, or publish one again"),
        "compact": ("flows.ops.compact", "write the published file anew: smaller, or with another key"),
        "backup": ("flows.ops.backup", "copy the whole warehouse into another folder"),
        "as-known-on": ("flows.ops.as_known_on", "write what was known on a day"),
    },
    "People": {
        "person": ("flows.ops.person", "write everything that is held of one person, for that person"),
        "forget": ("flows.ops.forget", "take a person out of everything that is kept"),
        "forget-requests": ("flows.ops.erasure_requests", "forget everybody whom private/forget.csv names"),
    },
    "Development": {
        "dictionary": ("flows.reference.dictionary", "write DICTIONARY.md"),
        "clinic-file-page": ("flows.reference.clinic_file", "write the reference of clinic.toml and its schemas"),
        "instruments-page": ("flows.reference.instruments_page", "write INSTRUMENTS.md"),
    },
}


MODULES = {name: f"rapport.{module}" for commands in COMMANDS.values() for name, (module, _) in commands.items()}


class _Table(click.Group):
    """The command table as a click group. It suggests the nearest name for an unknown command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*MODULES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(cmd_name, MODULES[cmd_name]) if cmd_name in MODULES else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in MODULES and (hint := nearest(args[0], MODULES, "")):
            ctx.fail(f"there is no command '{args[0]}'; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group, commands in COMMANDS.items():
            with formatter.section(group):
                formatter.write_dl([(name, does) for name, (_, does) in commands.items()])


def _command(name: str, module: str) -> click.Command:
    """A command that passes all its arguments, options and --help too, to the `main` of its module."""

    def run(words: tuple[str, ...]) -> None:
        try:
            sys.exit(import_module(module).main(list(words)))
        except RapportError as error:
            click.echo(error.told, err=True)
            sys.exit(error.status)

    takes_all = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)
    return click.Command(name, takes_all, run, [words], add_help_option=False)


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="rapport", message="%(prog)s %(version)s")
def main() -> None:
    """The therapeutic alliances of a clinic, from its exports into a DuckDB file, every night.

    `rapport COMMAND --help` lists the options of a command.
    """


if __name__ == "__main__":
    main(prog_name="rapport")
