"""What a real node leaves behind when its programs have ended or were killed, and how it is removed."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from cluster.processes import end, started_at
from cluster.system import control_group_hierarchies


def kill_control_group(name: str) -> None:
    """Kill every process in the control group and in those below it: what runs in the node's containers."""
    for hierarchy in control_group_hierarchies():
        for file in (hierarchy / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                for pid in file.read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)


def kill_shims(socket: Path) -> None:
    """End the shims that outlived their containers; containerd's socket is on their command line."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if str(socket) in words and "shim" in words[0] and started_at(int(process.name)):
                end(int(process.name), 1.0)


def unmount_below(folder: Path) -> None:
    """Take away every mount in the folder: root file systems, volumes, network namespaces."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def remove_control_group(name: str) -> None:
    """Remove the control group and those below it."""
    for hierarchy in control_group_hierarchies():
        top = hierarchy / name
        groups = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
        for group in [*groups, top]:
            _remove_empty_group(group)


def remove_traces(folder: Path) -> None:
    """What network plugins, runc and the kubelet leave, about this node, in folders that cannot be chosen."""
    for result in Path("/var/lib/cni/results").glob("*"):
        if str(folder) in result.read_text(errors="replace"):
            result.unlink()
    for record in Path("/run/containerd/runc/k8s.io").glob("*/state.json"):
        if str(folder) in record.read_text(errors="replace"):
            shutil.rmtree(record.parent)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(folder):
            link.unlink()


def _remove_empty_group(group: Path) -> None:
    """The kernel lets go of a group a moment after its last process has ended."""
    for _ in range(50):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
