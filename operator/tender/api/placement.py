"""Constraints: which nodes the pods of a framework may be on, in relation to each other and to the nodes' labels.

They are Marathon's placement operators (docs/constraints.md of apache/mesos' Marathon), written like a node selector's
requirements. The framework's controller applies them when it matches tasks to offers; the master knows nothing of them.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from tender.api.meta import Model
from tender.api.rules import Rule, cel

NODE_NAME = "metadata.name"
"""The key that stands for the node's name; every other key is a label of nodes."""

Operator = Literal["Unique", "Cluster", "GroupBy", "MaxPer", "Is", "Like", "Unlike"]


class Constraint(Model):
    """One requirement on the value of a node's label, or on its name."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            Rule(
                "!(self.operator in ['MaxPer', 'Is', 'Like', 'Unlike']) || has(self.value)",
                "this operator needs a value: a number for MaxPer, the label's value for Is, a regular expression for"
                " Like and Unlike",
                ".value",
            ),
            Rule(
                "self.operator != 'Unique' || !has(self.value)", "operator Unique takes no value: remove it", ".value"
            ),
            Rule(
                "!(self.operator in ['MaxPer', 'GroupBy']) || !has(self.value) ||"
                " self.value.matches('^[1-9][0-9]{0,4}$')",
                "the value of MaxPer and GroupBy is a number of 1 or more",
                ".value",
            ),
        )
    )

    key: str = Field(
        description="A label of nodes, such as topology.kubernetes.io/zone, or metadata.name for the node itself.",
        min_length=1,
        max_length=316,
    )
    operator: Operator = Field(
        description="Unique: no two pods on nodes of the same value. MaxPer: at most so many. GroupBy: spread evenly"
        " over the values, of which there are at least as many as the number given. Cluster: all on the same value,"
        " the given one or that of the first pod. Is: this value. Like, Unlike: a value that the regular expression"
        " matches as a whole, or does not."
    )
    value: str | None = Field(None, description="What the operator compares with.", max_length=128)


Constraints = Annotated[tuple[Constraint, ...], Field(max_length=16)]
