"""The pods that were seen of each offer: they take the place of what was claimed.

A pod says by its label which offer it was made from, and its owner says which framework's it is: anybody can write the
label, so pods are kept apart by framework. A pod that has gone is remembered while its offer is there, since its part
of the claim was used all the same.
"""

from collections.abc import Collection, Iterator

from tender.api.core import Pod
from tender.api.names import LABEL_OFFER

_Pods = dict[str, Pod]


class Sightings:
    """Pods by offer ("namespace/name"), framework ("namespace/name") and node."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, dict[str, _Pods]]] = {}

    def add(self, framework: str, pod: Pod) -> bool:
        """Take note of a bound pod; whether it was not known."""
        pods = self._seen.setdefault(offer_of(pod), {}).setdefault(framework, {}).setdefault(pod.spec.node_name, {})
        if pod.metadata.name in pods:
            return False
        pods[pod.metadata.name] = pod
        return True

    def remove(self, framework: str, pod: Pod) -> None:
        """Forget a pod."""
        frameworks = self._seen.get(offer_of(pod), {})
        nodes = frameworks.get(framework, {})
        nodes.get(pod.spec.node_name, {}).pop(pod.metadata.name, None)
        if not nodes.get(pod.spec.node_name, True):
            del nodes[pod.spec.node_name]
        if not frameworks.get(framework, True):
            del frameworks[framework]
        if not frameworks:
            self._seen.pop(offer_of(pod), None)

    def end(self, offer: str) -> None:
        """Forget all pods of an offer."""
        self._seen.pop(offer, None)

    def any(self, offer: str, framework: str) -> bool:
        """Whether any pod of this framework was seen of the offer."""
        return framework in self._seen.get(offer, {})

    def of(self, offer: str, framework: str) -> Iterator[Pod]:
        """The pods of this framework that were seen of the offer."""
        for pods in self._seen.get(offer, {}).get(framework, {}).values():
            yield from pods.values()

    def on(self, offer: str, framework: str, node: str) -> Collection[Pod]:
        """The pods of this framework that were seen of the offer on a node."""
        return self._seen.get(offer, {}).get(framework, {}).get(node, {}).values()


def names_offer(pod: Pod) -> bool:
    """Whether a pod is bound and says which offer it was made from."""
    return bool(pod.spec.node_name) and LABEL_OFFER in pod.metadata.labels


def offer_of(pod: Pod) -> str:
    """The key of the offer that a pod says it was made from."""
    return f"{pod.metadata.namespace}/{pod.metadata.labels[LABEL_OFFER]}"
