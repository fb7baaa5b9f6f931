"""The options by which a command finds its cluster and namespace, and the `Session` that it gets for them.

A command does its work in one call of `Session.run`: it opens a client, and whatever goes wrong between there and the
API server ends the program with one line that says what and where, and exit code 1.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tender.cli.output import FORMATS, Output

if TYPE_CHECKING:
    from tender.cluster.client import Client
    from tender.cluster.errors import ApiError

FIELD_MANAGER = "tender-cli"
"""Who is named in managedFields as the writer of what commands write."""
INTERRUPTED = 130
"""The exit code after an interrupt, as of any program of a shell."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command does not find in the cluster; tests give their own as the `obj` of click's context."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Cluster:
    """An open connection and the namespace in question; `scope` is None where all namespaces are meant."""

    client: "Client"
    namespace: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """What the options of a command say: which cluster, which namespace, and in which form to print."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False
    output: Output = field(default_factory=Output)
    surroundings: Surroundings = field(default_factory=Surroundings)

    def now(self) -> datetime:
        """The time, by which ages are counted."""
        return self.surroundings.clock()

    def run(self, work: Callable[[Cluster], Awaitable[T]], *, told: bool = True) -> T:
        """What `work` returns, done in an event loop of its own.

        Ends the program with a line and exit code 1 when the cluster cannot be found or refuses (with `told` False it
        raises NoCluster or ApiError), and with 130 on an interrupt. Other exceptions, also click's, pass through.
        """
        from tender.cluster import logs

        logs.configure(level="error")
        with _told_in_a_line() if told else contextlib.nullcontext():
            return asyncio.run(self._within(work))

    async def _within(self, work: Callable[[Cluster], Awaitable[T]]) -> T:
        from tender.cluster.access import load
        from tender.cluster.client import Client
        from tender.cluster.retry import Backoff, RetryPolicy

        access = load(self.kubeconfig, self.context)
        namespace = self.namespace or access.namespace
        patience = RetryPolicy(attempts=3, backoff=Backoff(base=0.2, cap=1.0))
        async with Client(access, field_manager=FIELD_MANAGER, retry=patience) as client:
            return await work(Cluster(client, namespace, None if self.all_namespaces else namespace))


def with_session(
    *, formats: tuple[str, ...] = FORMATS, namespaced: bool = True, all_namespaces: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of a connection; it gets a `session` in their place.

    `formats` are the forms that -o offers, the first one being the default; none: there is no -o. `namespaced` adds -n,
    and `all_namespaces` -A.
    """
    options = [
        click.option(
            "--kubeconfig",
            type=click.Path(dir_okay=False),
            help="Kubeconfig file. Default: as kubectl finds it.",
        ),
        click.option("--context", help="Context of the kubeconfig."),
    ]
    if namespaced:
        options.append(click.option("-n", "--namespace", help="Namespace. Default: that of the context."))
    if all_namespaces:
        options.append(click.option("-A", "--all-namespaces", is_flag=True, help="Objects of all namespaces."))
    if formats:
        kind = click.Choice(formats)
        options.append(
            click.option("-o", "--output", type=kind, default=formats[0], show_default=True, help="Form of the output.")
        )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_session(
            *,
            kubeconfig: str | None,
            context: str | None,
            namespace: str | None = None,
            all_namespaces: bool = False,
            output: str = "table",
            **others: Any,
        ) -> Any:
            surroundings = click.get_current_context().ensure_object(Surroundings)
            session = Session(kubeconfig, context, namespace, all_namespaces, Output(output), surroundings)
            return command(session=session, **others)

        decorated: Callable[..., Any] = with_session
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


@contextlib.contextmanager
def _told_in_a_line() -> Iterator[None]:
    from tender.cluster.errors import ApiError, NoCluster

    try:
        yield
    except NoCluster as error:
        raise click.ClickException(str(error)) from None
    except ApiError as error:
        raise click.ClickException(in_a_line(error)) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def in_a_line(error: "ApiError") -> str:
    """What went wrong between here and the API server, for people."""
    if error.status == 0:
        return f"the API server does not answer ({error.message}); is the cluster up, and the kubeconfig right?"
    if error.status == 401:
        return "the API server does not accept the credentials of the kubeconfig; log in again"
    if error.status == 404 and not (error.object or {}).get("details", {}).get("name"):
        return f"{error.where}: the cluster has no such kind of object; is Tender installed on it?"
    if error.status == 409 and error.reason == "Conflict":
        return f"{error.message}; somebody else changed it meanwhile, try again"
    return error.message
