"""The pages that show a cluster show what is so: their commands are run in the order of the page, in a namespace of
their own, and print what the page says.
"""

import os
import shutil
from pathlib import Path

import pytest
from tests.docs.reading import Page, blocks
from tests.docs.running import Reader
from tests.e2e.release import Release
from tests.e2e.services import Namespace

from cluster.layout import REPOSITORY

PAGES = sorted({block.page for block in blocks("console") if block.mark == "run"})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_reader_sees_what_the_page_shows(tender: Release, namespace: Namespace, tmp_path: Path, path: Path):
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    reader = Reader(tmp_path, in_namespace(namespace, tmp_path / "kubeconfig"))

    for block in Page(path).blocks:
        if block.mark != "simulate":
            reader.follow(block)

    assert namespace.items("frameworks") == []


def in_namespace(namespace: Namespace, kubeconfig: Path) -> dict[str, str]:
    """An environment in which kubectl finds the cluster, and the namespace is the one that it works in."""
    cluster = namespace.cluster
    shutil.copy(cluster.kubeconfig, kubeconfig)
    path = f"{cluster.layout.programs}{os.pathsep}{os.environ['PATH']}"
    cluster.kubectl("config", "set-context", "--current", f"--namespace={namespace.name}", f"--kubeconfig={kubeconfig}")
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path}
