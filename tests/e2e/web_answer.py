"""What a web server in the cluster answers to this machine."""

import urllib.request


def fetch(url: str) -> str:
    """The body of the answer to a GET."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
