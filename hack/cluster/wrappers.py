"""kubectl and helm as commands that mean this cluster and keep their caches to it.

kubectl remembers for hours which kinds the server at an address has; a later cluster at the same address
would be shown the kinds of the former one. So each cluster has its own cache.
"""

import shlex

from cluster import tools
from cluster.layout import Layout, settle

_SCRIPT = """\
#!/bin/sh
# {name} for the cluster {cluster}, unless KUBECONFIG names another one.
export KUBECONFIG="${{KUBECONFIG:-{kubeconfig}}}"
export KUBECACHEDIR={cache}/kubectl
export HELM_CACHE_HOME={cache}/helm HELM_CONFIG_HOME={cache}/helm HELM_DATA_HOME={cache}/helm
exec {program} "$@"
"""


def wrap_programs(layout: Layout) -> None:
    """Write the commands into the cluster's folder for programs; helm's works once helm is built."""
    for name in ("kubectl", "helm"):
        script = _SCRIPT.format(
            name=name,
            cluster=layout.name,
            kubeconfig=layout.kubeconfig,
            cache=shlex.quote(str(layout.root / "cache")),
            program=shlex.quote(str(tools.location(name))),
        )
        settle(layout.programs / name, script, mode=0o755)
