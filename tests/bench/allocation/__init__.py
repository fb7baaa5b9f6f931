"""How long the allocator takes, beside what Mesos published of its own: `make bench-allocation`.

Only `tender.allocation` is measured: no API server, no event loop, no objects. Each case (`cases`) runs in a process of
its own (`alone`), started by `__main__`, so that neither heaps nor peaks of memory mix. A case builds a ledger, plays
the master around it (`played_master`), and times the cycles (`measuring`).

As in a master that has started, the garbage collector is told to leave alone what was built before the first cycle
(`gc.collect(); gc.freeze()`) and runs as usual from then on. Random numbers come from fixed seeds.
"""
