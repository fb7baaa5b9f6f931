"""The nodes of the cluster that the tests of this folder run on."""

NODES = ("node-1", "node-2", "node-3")
