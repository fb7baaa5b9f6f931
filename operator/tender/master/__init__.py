"""The first-level master: a kopf operator over real cluster nodes.

`handlers` (kopf), `census` and the caches bring what happens to `facts`, and `intake` puts it into the ledger.
`offerbook` keeps account of the offers, `loop` runs the allocation cycle, `executor` writes what was decided, and
`status_writer` tells people. `factory` wires them.
"""
