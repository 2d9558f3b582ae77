"""The command line: `recommender COMMAND`.

Commands import what they need when they run, so that `--help` is quick.
"""

from __future__ import annotations

import errno
import logging
import sys

import click

from recommender import __version__
from recommender.cli.app import app
from recommender.cli.data import fetch, prepare
from recommender.cli.deployment import deployments, rollback, stop
from recommender.cli.exported import models, recommend, similar
from recommender.cli.features import features
from recommender.cli.machine import doctor
from recommender.cli.serve import serve
from recommender.cli.served import query
from recommender.cli.training import evaluate, export, train, tune
from recommender.cli.worker import worker
from recommender.cli.workflow import run
from recommender.errors import INTERRUPTED, RecommenderError

# Troubles of the machine, and of paths given wrongly, that need no traceback to be understood.
PLAIN = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG),
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="recommender")
def cli() -> None:
    """From raw MovieLens to a recommender that people query.

    `recommender run workflow-train-model.yaml` does everything; the other commands do one stage each.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")


COMMANDS = (
    *(fetch, prepare, train, tune, worker, evaluate, export, run),
    *(models, recommend, similar, doctor),
    *(serve, query, deployments, rollback, stop),
    *(features, app),
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line; whatever the user can mend is told in one line, without a traceback."""
    sys.exit(_status())


def _status() -> int:
    try:
        return cli(prog_name="recommender", standalone_mode=False) or 0
    except RecommenderError as error:
        return _fail(str(error), error.exit_status)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except OSError as error:
        if error.errno not in PLAIN:
            raise
        return _fail(f"{error.filename or 'writing'}: {error.strerror}", 1)


def _fail(message: str, status: int) -> int:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    return status
