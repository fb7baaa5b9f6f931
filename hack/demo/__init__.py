"""The demo: a cluster, Tender by its chart, two frameworks of different weight, and what a user wants to see.

Everything is done as a user would do it, with helm and kubectl; a second run reuses what is there. Standard library
only, like the local cluster that it stands on.
"""
