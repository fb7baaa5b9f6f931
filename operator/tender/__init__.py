"""Tender: two-level scheduling for Kubernetes."""

__version__ = "0.2.0"
