"""Second level: what a framework does with the offers it gets. Pure planners over one loop; no I/O in here."""
