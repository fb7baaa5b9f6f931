"""The first-level master: a kopf operator over real cluster nodes.

`handlers` (kopf) and `intake` (nodes, pods) bring facts into the ledger, `offerbook` keeps account of the offers,
`loop` runs the allocation cycle, `executor` writes what was decided, `statuses` tells people. `factory` wires them.
"""
