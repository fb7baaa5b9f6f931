"""The volumes of pods: a PersistentVolumeClaim for each template, kept as long as its pod is wanted in its place."""

from typing import Any

from tender.api.framework import Framework
from tender.api.stateful import PodSet
from tender.frameworks.sdk.model import Remove
from tender.frameworks.sdk.ownership import owned_metadata
from tender.frameworks.stateful.instances import Instance, instance_labels

CLAIM_KIND = "PersistentVolumeClaim"


def claim_name(template: str, pod: str) -> str:
    """The name of the claim of one pod for one template, as StatefulSets name theirs."""
    return f"{template}-{pod}"


def missing_claims(framework: Framework, instance: Instance, pod_set: PodSet) -> list[dict[str, Any]]:
    """The claims that the instance should have and has not."""
    present = {claim.metadata.name for claim in instance.volumes}
    wanted = {claim_name(one.name, instance.pod_name): one.spec for one in pod_set.volume_claim_templates}
    return [
        {
            "apiVersion": "v1",
            "kind": CLAIM_KIND,
            "metadata": owned_metadata(framework, name, instance_labels(instance.set_name, instance.index)),
            "spec": spec,
        }
        for name, spec in wanted.items()
        if name not in present
    ]


def give_up_volumes(instance: Instance, why: str) -> list[Remove]:
    """The removal of all its claims, and of what is in the volumes if their class says so."""
    return [
        Remove(CLAIM_KIND, claim.metadata.name, claim.metadata.uid, why)
        for claim in instance.volumes
        if claim.metadata.deletion_timestamp is None
    ]
