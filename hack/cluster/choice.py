"""Chooses what is not asked for: how the cluster is made and how many real nodes it has. Says which, and
why.
"""

from cluster import system
from cluster.address_plan import MOST_NODES
from cluster.failure import ClusterError
from cluster.kind import why_no_kind
from cluster.progress import say
from cluster.state import Options, State


def choose_flavour(wanted: Options) -> str:
    """The answer is "local" if a real node can run here or none is wanted, else "kind" if there is Docker,
    else "local" again.
    """
    if wanted.flavour == "kind":
        reason = why_no_kind()
        if reason:
            raise ClusterError(f"{reason}; `--flavour local` needs no Docker")
        return "kind"
    if wanted.flavour == "local" or wanted.control_plane_only or wanted.nodes == 0:
        return "local"
    reason = system.why_no_real_node()
    if reason is None:
        say("flavour: local (a real node can run on this machine)")
        return "local"
    no_kind = why_no_kind()
    if no_kind is None:
        say(f"flavour: kind ({reason}; Docker answers)")
        return "kind"
    say(f"flavour: local ({reason}; {no_kind})")
    return "local"


def choose_real_nodes(record: State) -> int:
    """How many real nodes a cluster of processes gets; a node that runs is never taken away."""
    wanted = record.options.nodes
    if record.options.control_plane_only or wanted == 0:
        return 0
    if wanted is not None and not 0 <= wanted <= MOST_NODES:
        raise ClusterError(f"--nodes {wanted}: between 0 and {MOST_NODES} real nodes are possible")
    if record.nodes and wanted in (None, record.nodes):
        return record.nodes
    reason = system.why_no_real_node()
    if reason is None:
        return max(wanted or 1, record.nodes)
    if wanted:
        raise ClusterError(f"no real node can run here: {reason}")
    say(f"no real node: {reason}; the cluster gets fake nodes only")
    return 0
