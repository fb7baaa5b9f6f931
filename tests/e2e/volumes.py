"""Claims of volumes, and pods that write into them what they are told."""

from typing import Any

from tests.e2e.services import Manifest


def claim(name: str, **spec: Any) -> Manifest:
    """A PersistentVolumeClaim, of the default storage class unless `spec` says otherwise."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}, **spec},
    }


def writer(name: str, of: str, word: str, **spec: Any) -> Manifest:
    """A pod that appends a word to a file on the volume of the claim `of`, and logs what is in the file."""
    container = {
        "name": "main",
        "image": "busybox:1",
        "command": ["sh", "-c", f"echo {word} >> /data/words && cat /data/words && exec sleep 1000000"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": of}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], "volumes": [volume], **spec},
    }
