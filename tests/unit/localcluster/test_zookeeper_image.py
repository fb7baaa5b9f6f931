"""The scripts of the ZooKeeper image do with a configuration what a ConfigMap's author expects."""

import subprocess
from pathlib import Path

import pytest

from cluster.layout import REPOSITORY
from image.zookeeper_image import image_name

START = REPOSITORY / "hack" / "image" / "zookeeper" / "zookeeper-start"


class Server:
    """`zookeeper-start` on the host zk-2 as an ordinary user, with a java that only says how it was called."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        for name, says in {"java": 'echo "$@"', "hostname": "echo zk-2", "id": "echo 1000"}.items():
            program = folder / name
            program.write_text(f"#!/bin/sh\n{says}\n")
            program.chmod(0o755)

    def start(self, *lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
        configuration = self._folder / "zoo.cfg"
        configuration.write_text("\n".join(lines) + "\n")
        path = f"{self._folder}:/usr/bin:/bin"
        return subprocess.run(
            [str(START)],
            env={"PATH": path, "ZOO_CONF": str(configuration), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_the_tag_is_the_version_of_zookeeper():
    assert image_name().startswith("tender.dev/zookeeper:3.")


def test_the_number_is_that_of_the_line_that_names_the_host(server: Server):
    peers = ("server.1=zk-1.zk:2888:3888", "server.12=zk-2.zk:2888:3888", "server.3=zk-22.zk:2888:3888")
    done = server.start(f"dataDir={server.data}", *peers)
    assert done.returncode == 0, done.stderr
    assert (server.data / "myid").read_text() == "12\n"


def test_a_number_can_be_given(server: Server):
    server.start(f"dataDir={server.data}", "server.1=10.0.0.1:2888:3888", ZOO_MY_ID="1")
    assert (server.data / "myid").read_text() == "1\n"


def test_a_server_that_the_configuration_does_not_name_says_so(server: Server):
    done = server.start(f"dataDir={server.data}", "server.1=zk-1.zk:2888:3888")
    assert done.returncode != 0
    assert "no line server.NUMBER=... names the host zk-2" in done.stderr


def test_a_single_server_needs_no_number(server: Server):
    done = server.start(f"dataDir={server.data}", ZOO_HEAP="96m")
    assert done.returncode == 0, done.stderr
    assert not (server.data / "myid").exists()
    assert "-Xmx96m" in done.stdout


def test_a_configuration_without_a_data_folder_is_refused(server: Server):
    done = server.start("clientPort=2181")
    assert done.returncode != 0
    assert "no line dataDir=" in done.stderr
