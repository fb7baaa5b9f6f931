"""How a pod is taken apart, to be gone or to go elsewhere: in an order in which nothing is left behind.

Its pods come first, then its volumes and its place, and the record last, if that is to go.
"""

from tender.api.core import Pod
from tender.frameworks.sdk.model import Remove, Stop
from tender.frameworks.stateful.deeds import Deeds
from tender.frameworks.stateful.instances import Instance
from tender.frameworks.stateful.places import give_up_places
from tender.frameworks.stateful.records import UNSCHEDULABLE, Record
from tender.frameworks.stateful.scene import Scene
from tender.frameworks.stateful.volumes import give_up_volumes


def removed(scene: Scene, one: Instance) -> Deeds:
    """A pod that is not wanted any more goes, and its record with it."""
    deeds = Deeds(status="Decommissioning", message="it is not wanted any more: its pod, volumes and place are removed")
    if _torn_down(scene, one, deeds, "the pod is decommissioned") and one.record is not None:
        deeds.remove.append(Remove("ConfigMap", one.pod_name, one.record_uid, "the pod is decommissioned"))
    return deeds


def moved_away(scene: Scene, one: Instance, record: Record) -> Deeds:
    """A pod that is to go elsewhere leaves nothing where it was."""
    if record.replacing == UNSCHEDULABLE:
        deeds = Deeds(status="Moving", message="kube-scheduler could not bind its pod there; it goes to another place")
        _torn_down(scene, one, deeds, "kube-scheduler cannot bind the pod there")
    else:
        deeds = Deeds(status="Replacing", message="what it has on its former node is given up")
        _torn_down(scene, one, deeds, "the pod is replaced")
    return deeds


def _torn_down(scene: Scene, one: Instance, deeds: Deeds, why: str) -> bool:
    """Have all of it removed, pods first; whether nothing is left. Pods of a node that is silent are forgotten."""
    pods = [pod for pod in (one.pod, *one.tasks.values()) if pod is not None]
    for pod in pods:
        grace = 0 if _is_silent(scene, one, pod) else None
        if not pod.leaving or grace == 0:
            deeds.stops.append(Stop(pod.metadata.name, pod.metadata.uid, why, grace))
    if not pods:
        places = (one.place, *one.surplus) if one.place is not None else one.surplus
        deeds.remove += [*give_up_volumes(one, why), *give_up_places(places, why)]
    return one.bare


def _is_silent(scene: Scene, one: Instance, pod: Pod) -> bool:
    name = pod.spec.node_name or (one.place.spec.node if one.place is not None else "")
    node = scene.seen.nodes.get(name)
    return bool(name) and (node is None or not node.ready)
