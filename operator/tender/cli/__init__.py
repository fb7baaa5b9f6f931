"""The command line: `tender`, and `kubectl tender` where it is installed as `kubectl-tender`.

`main` knows the commands by name only and imports a command when it is run. Each is a module of its own, a thin shell:
it reads what it needs in a `Session` (`connection.py`), has pure functions make text or rows of it (`views/`), and
prints that (`output.py`). What takes time is waited for in `progress.py`.
"""

import click

from tender import __version__
from tender.cli.lazy import Entry, LazyGroup


@click.group(
    cls=LazyGroup,
    package="tender.cli",
    entries={
        "status": Entry("Show the cluster at a glance: nodes, resources, roles and frameworks."),
        "frameworks": Entry("List frameworks: their state, tasks and share, and how long they have waited."),
        "why": Entry("Say why a framework waits, and what would have to change."),
        "offers": Entry("List offers: to whom, of what, and what became of them."),
        "roles": Entry("Show roles: their weights, shares and quotas."),
        "quota": Entry("Show and set what roles are guaranteed and may have at most."),
        "plan": Entry("Show plans of stateful services, and start, pause, resume, restart or force them."),
        "pod": Entry("Restart, replace, pause or resume single pods of a framework."),
        "rollback": Entry("Run a former version of a framework again, and wait until it does."),
        "scale": Entry("Change how many pods a framework has, and wait until it has them."),
        "drain": Entry("Cordon a node and take the pods of frameworks off it, as their health allows."),
        "top": Entry("Show who holds what: in pods, claims, offers and reservations."),
        "events": Entry("List events of Tender's objects, the newest last."),
        "simulate": Entry("Play allocation scenarios: steps on a virtual clock, with what each is expected to do."),
        "version": Entry("Print the versions of this program, of the running master and of Kubernetes."),
        "completion": Entry("Print a script that makes a shell complete commands and options."),
        "master": Entry("Run the first-level master: it offers the cluster's resources to frameworks.", "parts"),
        "controller": Entry(
            "Run the controller of the built-in framework kinds: it answers offers and creates pods.", "parts"
        ),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Tender: two-level scheduling for Kubernetes."""


def kubectl() -> None:
    """The program kubectl-tender, which kubectl runs as `kubectl tender`."""
    main(prog_name="kubectl tender")
