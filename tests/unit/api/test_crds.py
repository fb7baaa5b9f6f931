"""The CRDs under crds/ are what the models say, and keep what the API server and its users need of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tender.api.crds import VIEWS, custom_resource_definition, documents, main

CRDS = Path(__file__).parents[3] / "crds"
KINDS = pytest.mark.parametrize("model", VIEWS, ids=lambda model: model.KIND)


def parts(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, with its place."""
    yield place, schema
    for name, part in schema.get("properties", {}).items():
        yield from parts(part, f"{place}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from parts(schema[keyword], f"{place}[]")


def declared(model: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of spec and status, with its place."""
    version = custom_resource_definition(model)["spec"]["versions"][0]
    for name in ("spec", "status"):
        yield from parts(version["schema"]["openAPIV3Schema"]["properties"][name], f".{name}")


class TestTheFiles:
    @pytest.mark.parametrize("name", documents())
    def test_are_those_that_the_models_make(self, name: str):
        text = (CRDS / name).read_text(encoding="utf-8")
        assert text == documents()[name], "run: python -m tender.api.crds crds"

    def test_are_one_for_each_kind(self):
        assert {path.name for path in CRDS.iterdir()} == set(documents())

    def test_are_written_to_the_directory_that_is_named(self, tmp_path: Path):
        assert main([str(tmp_path / "new")]) == 0
        assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == documents()

    def test_need_a_directory(self, capsys: pytest.CaptureFixture[str]):
        assert main([]) == 2
        assert "DIRECTORY" in capsys.readouterr().err

    @pytest.mark.parametrize("text", documents().values(), ids=documents())
    def test_fit_into_the_annotation_of_kubectl_apply(self, text: str):
        assert len(text) < 128 * 1024
        assert yaml.safe_load(text)["kind"] == "CustomResourceDefinition"


class TestEverySchema:
    @KINDS
    def test_bounds_what_a_rule_may_walk(self, model: Any):
        unbounded = [
            place
            for place, schema in declared(model)
            if (schema.get("type") == "array" and "maxItems" not in schema)
            or ("additionalProperties" in schema and "maxProperties" not in schema)
            or (schema.get("type") == "string" and not {"maxLength", "enum", "format"} & set(schema))
        ]
        assert [place for place in unbounded if not place.endswith((".template.apiVersion", ".template.kind"))] == []

    @KINDS
    def test_describes_every_field(self, model: Any):
        silent = [
            place
            for place, schema in declared(model)
            if "description" not in schema and not place.endswith("[]") and ".template." not in place
        ]
        assert silent == []

    @KINDS
    def test_says_in_every_rule_what_is_wrong(self, model: Any):
        for place, schema in declared(model):
            for rule in schema.get("x-kubernetes-validations", []):
                assert rule["message"], place

    @KINDS
    def test_has_conditions_and_the_observed_generation(self, model: Any):
        if model.KIND == "ResourceOffer":
            return
        places = {place for place, _ in declared(model)}
        assert {".status.conditions", ".status.observedGeneration"} <= places


class TestTheNames:
    @KINDS
    def test_every_kind_is_in_the_category_and_has_a_status_of_its_own(self, model: Any):
        spec = custom_resource_definition(model)["spec"]
        assert spec["names"]["categories"] == ["tender"]
        assert spec["versions"][0]["subresources"]["status"] == {}

    def test_are_those_that_everybody_types(self):
        names = {
            model.KIND: (spec["names"]["plural"], spec["names"]["shortNames"], spec["scope"])
            for model in VIEWS
            for spec in [custom_resource_definition(model)["spec"]]
        }
        assert names == {
            "Framework": ("frameworks", ["fw"], "Namespaced"),
            "ResourceOffer": ("resourceoffers", ["offer"], "Namespaced"),
            "FrameworkRole": ("frameworkroles", ["frole"], "Cluster"),
            "Reservation": ("reservations", ["rsv"], "Namespaced"),
        }
