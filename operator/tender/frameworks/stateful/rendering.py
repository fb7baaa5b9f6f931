"""Configuration files of pods: `${pod.name}` and the like are replaced by what is the case.

A variable is written with braces, so `$HOME` and `$1` in scripts stay as they are; `$${` stands for `${` itself. What
is not known is an error: a configuration with a hole in it would be found out much later.
"""

import re
from collections.abc import Mapping

from tender.api.stateful import PodSet

_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$\{)|\{(?P<name>[^}]*)\})")
OF_THE_POD = ("pod.name", "pod.index", "pod.host", "pod.replaced")
"""The variables that differ from pod to pod; all others are the same for the whole service."""


def pod_name(framework: str, set_name: str, index: int) -> str:
    """The name of the Kubernetes pod."""
    return f"{framework}-{set_name}-{index}"


def host(framework: str, namespace: str, pod: str) -> str:
    """The name by which the pod is found, whatever its address is; in the cluster's default domain."""
    return f"{pod}.{framework}.{namespace}.svc"


def common_variables(framework: str, namespace: str, pods: tuple[PodSet, ...]) -> dict[str, str]:
    """What is the same for all pods of a service. Hosts are in the order of their indexes, separated by commas."""
    variables = {"framework.name": framework, "framework.namespace": namespace}
    for pod_set in pods:
        names = (pod_name(framework, pod_set.name, index) for index in range(pod_set.count))
        variables[f"pods.{pod_set.name}.count"] = str(pod_set.count)
        variables[f"pods.{pod_set.name}.hosts"] = ",".join(host(framework, namespace, name) for name in names)
    return variables


def pod_variables(framework: str, namespace: str, set_name: str, index: int, replaced: str) -> dict[str, str]:
    """What is of one pod alone; `replaced` is the address of the one that it takes the place of, or empty."""
    name = pod_name(framework, set_name, index)
    values = (name, str(index), host(framework, namespace, name), replaced)
    return dict(zip(OF_THE_POD, values, strict=True))


def render(files: Mapping[str, str], variables: Mapping[str, str], *, left: tuple[str, ...] = ()) -> dict[str, str]:
    """The files with their variables replaced, those in `left` excepted.

    Raises ValueError, naming the file and the variable, for one that is not known.
    """
    return {file: _render(file, text, variables, left) for file, text in files.items()}


def _render(file: str, text: str, variables: Mapping[str, str], left: tuple[str, ...]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["name"]
        if found["escaped"]:
            return found[0] if left else "${"
        if name in left:
            return found[0]
        if name not in variables:
            raise ValueError(
                f"file {file}: ${{{name}}} is not known: write one of {', '.join(sorted({*variables, *left}))},"
                f" or $${{{name}}} for the text itself"
            )
        return variables[name]

    return _VARIABLE.sub(value, text)
