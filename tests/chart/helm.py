"""Helm as the tests use it: with a home of its own, and rendered objects as values."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "charts" / "tender"
PREVIOUS = Path(__file__).parent / "previous" / "tender-0.1.0.tgz"
VALUES = sorted((Path(__file__).parent / "values").glob("*.yaml"))
COMPONENTS = ("master", "controller")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The objects of a rendered chart."""

    text: str

    @cached_property
    def objects(self) -> list[Manifest]:
        return [document for document in yaml.load_all(self.text, Loader=yaml.CSafeLoader) if document]

    def of(self, kind: str) -> list[Manifest]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str) -> Manifest:
        [found] = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def deployments(self) -> Iterator[tuple[str, Manifest]]:
        """Component and Deployment."""
        for deployment in self.of("Deployment"):
            yield deployment["metadata"]["labels"]["app.kubernetes.io/component"], deployment

    def container(self, component: str) -> Manifest:
        [container] = dict(self.deployments())[component]["spec"]["template"]["spec"]["containers"]
        return dict(container)


@dataclass(frozen=True)
class Helm:
    """The helm program; `home` keeps its caches away from the user's."""

    program: Path
    home: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm; with `check` a failure fails the test with helm's own words."""
        home = {f"HELM_{place}_HOME": str(self.home / place.lower()) for place in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [str(self.program), *arguments], env=os.environ | home, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done

    def template(
        self, *settings: str, values: Path | None = None, chart: Path = CHART, release: str = "tender"
    ) -> Rendered:
        """Render the chart as it would be installed in the namespace tender-system."""
        return Rendered(self.run("template", release, str(chart), *_options(settings, values)).stdout)

    def refusal(self, *settings: str) -> str:
        """What helm says about values that it must refuse."""
        done = self.run("template", "tender", str(CHART), *_options(settings, None), check=False)
        assert done.returncode != 0, f"accepted: {settings}"
        return done.stderr


def _options(settings: Sequence[str], values: Path | None) -> list[str]:
    return [
        "--namespace=tender-system",
        *(f"--set={setting}" for setting in settings),
        *([f"--values={values}"] if values else []),
    ]
