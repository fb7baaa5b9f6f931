"""Locks: every package that is installed, with version and hashes, so that what was reviewed is what is installed."""
