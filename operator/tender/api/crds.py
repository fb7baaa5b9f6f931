"""The CRD of each kind: its names, its columns in `kubectl get`, and the schema made from its model.

`python -m tender.api.crds DIRECTORY` writes them, one file for each kind; the files under `crds/` are made
so.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tender.api.framework import Framework
from tender.api.meta import CustomResource
from tender.api.names import GROUP, VERSION
from tender.api.offer import ResourceOffer
from tender.api.reservation import Reservation
from tender.api.role import QUOTA_SOUND, FrameworkRole
from tender.api.schema import structural_schema

CATEGORY = "tender"
_HEADER = "# Made from tender.api by `python -m tender.api.crds`; change the models, not this file.\n"


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; `wide` ones need `-o wide`."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False

    def manifest(self) -> dict[str, Any]:
        """The column as a CRD writes it."""
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "jsonPath": self.path,
            "priority": 1 if self.wide else 0,
        }


@dataclass(frozen=True)
class View:
    """How a kind looks from outside: its columns, the fields that a list can be filtered by, its scale."""

    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    scale: dict[str, str] | None = None


def _condition(type_: str, part: str) -> str:
    return f'.status.conditions[?(@.type=="{type_}")].{part}'


def _quota(resource: str, figure: str) -> str:
    return f'.status.quota[?(@.resource=="{resource}")].{figure}'


_AGE = Column("Age", ".metadata.creationTimestamp", "When it was created.", type="date")
_WHY = Column("Message", _condition("Ready", "message"), "Why it is ready or not.", wide=True)

VIEWS: dict[type[CustomResource], View] = {
    Framework: View(
        columns=(
            Column("Role", ".spec.role", "The role that it takes part in."),
            Column("Replicas", ".spec.service.replicas", "How many pods are wanted.", type="integer"),
            Column("Running", ".status.readyReplicas", "How many pods are ready.", type="integer"),
            Column("Ready", _condition("Ready", "status"), "Whether it is as wanted."),
            Column("Share", ".status.allocation.dominantShare", "Its dominant share of the cluster."),
            Column("Further Roles", ".spec.roles", "The further roles that it takes part in.", wide=True),
            _WHY,
            _AGE,
        ),
        selectable=(".spec.role",),
        scale={
            "specReplicasPath": ".spec.service.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    ),
    ResourceOffer: View(
        columns=(
            Column("Framework", ".spec.framework", "The framework that it is made to."),
            Column("Role", ".spec.role", "The role that it is charged to."),
            Column("Phase", ".status.phase", "Where it stands."),
            Column("Expires", ".spec.expiresAt", "When it is taken back without an answer."),
            Column("Message", ".status.message", "Why it was answered so.", wide=True),
            _AGE,
        ),
        selectable=(".spec.framework", ".spec.role", ".status.phase"),
    ),
    FrameworkRole: View(
        columns=(
            Column("Parent", ".spec.parent", "The role above it."),
            Column("Weight", ".spec.weight", "Its part in relation to its siblings.", type="number"),
            Column("Share", ".status.dominantShare", "Its dominant share of the cluster."),
            Column("Frameworks", ".status.frameworks", "How many frameworks are in it.", type="integer"),
            Column("CPU-Guarantee", _quota("cpu", "guarantee"), "The CPU that it is guaranteed."),
            Column("CPU-Limit", _quota("cpu", "limit"), "The most CPU that it may have."),
            Column("CPU-Consumed", _quota("cpu", "consumed"), "The CPU of its pods, claims and reservations."),
            Column("Quota", _condition(QUOTA_SOUND, "reason"), "Whether its quota can be kept, and if not, why."),
            Column("Memory-Guarantee", _quota("memory", "guarantee"), "The memory that it is guaranteed.", wide=True),
            Column("Memory-Limit", _quota("memory", "limit"), "The most memory that it may have.", wide=True),
            Column("Memory-Consumed", _quota("memory", "consumed"), "The memory that it consumes.", wide=True),
            _WHY,
            _AGE,
        ),
    ),
    Reservation: View(
        columns=(
            Column("Node", ".spec.node", "The node that the resources are kept on."),
            Column("Role", ".spec.role", "The role that they are kept for."),
            Column("Framework", ".spec.framework", "The framework that alone may use them."),
            Column("Resources", ".spec.resources", "What is kept."),
            Column("Used", ".status.used", "The part that is in use."),
            Column("Ready", _condition("Ready", "status"), "Whether it holds."),
            Column("Refines", ".spec.refines", "The Reservation that it is a part of.", wide=True),
            _WHY,
            _AGE,
        ),
        selectable=(".spec.role", ".spec.node"),
    ),
}


def custom_resource_definition(model: type[CustomResource]) -> dict[str, Any]:
    """The CRD of one kind."""
    view = VIEWS[model]
    subresources: dict[str, Any] = {"status": {}}
    if view.scale:
        subresources["scale"] = view.scale
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": subresources,
        "additionalPrinterColumns": [column.manifest() for column in view.columns],
        "schema": {"openAPIV3Schema": structural_schema(model)},
    }
    if view.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in view.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{model.PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": model.KIND,
                "listKind": f"{model.KIND}List",
                "plural": model.PLURAL,
                "singular": model.KIND.lower(),
                "shortNames": [model.SHORT_NAME],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced" if model.NAMESPACED else "Cluster",
            "versions": [version],
        },
    }


def documents() -> dict[str, str]:
    """File name to YAML text, for all kinds."""
    return {
        f"{model.PLURAL}.{GROUP}.yaml": _HEADER
        + yaml.safe_dump(custom_resource_definition(model), sort_keys=False, width=120, default_flow_style=False)
        for model in VIEWS
    }


def main(arguments: list[str]) -> int:
    """Write all CRDs into the directory that is named by the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tender.api.crds DIRECTORY\n")
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
