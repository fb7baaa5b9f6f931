"""What pydantic writes becomes a structural schema, or is refused with its place."""

import re
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import AwareDatetime, ConfigDict, Field

from tender.api.meta import Conditions, CustomResource, Model, Quantities, Quantity
from tender.api.rules import Rule, cel, list_map, server_default
from tender.api.schema import structural_schema


def schema_of(annotation: Any, **field: Any) -> Any:
    """The schema of a field of the given type."""
    kind = type("Sample", (CustomResource,), {"__annotations__": {"spec": annotation}, "spec": Field(**field)})
    return structural_schema(kind)["properties"]["spec"]


class Part(Model):
    """A part of
    something.
    """

    model_config = ConfigDict(json_schema_extra=cel(Rule("self.size > 0", "too small", ".size")))

    size: int = 1


class Endless(Model):
    """Contains itself."""

    inner: Optional["Endless"] = None


class TestWhatBecomesStructural:
    def test_a_part_is_written_in_place_with_its_rules(self):
        assert schema_of(Part) == {
            "type": "object",
            "description": "A part of something.",
            "properties": {"size": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.size > 0", "message": "too small", "fieldPath": ".size"}],
        }

    def test_the_description_of_a_field_goes_before_that_of_its_type(self):
        assert schema_of(Part, description="This one.")["description"] == "This one."

    def test_an_optional_field_is_just_not_required(self):
        assert schema_of(int | None, default=None) == {"type": "integer"}
        assert schema_of(Part | None, default=None) == schema_of(Part)

    @pytest.mark.parametrize(
        ("moment", "is_taken"),
        [
            ("2026-05-01T12:00:00Z", True),
            ("2026-05-01T12:00:00.123456+02:00", True),
            ("9999-12-31T23:59:59-23:59", True),
            ("0000-01-01T00:00:00Z", False),
            ("2026-01-01T00:00:00+24:00", False),
        ],
    )
    def test_a_time_is_one_that_can_be_read(self, moment: str, is_taken: bool):
        schema = schema_of(AwareDatetime)
        assert schema["format"] == "date-time"
        assert bool(re.search(schema["pattern"], moment)) == is_taken

    def test_a_default_of_the_models_is_not_written(self):
        assert "default" not in schema_of(int, default=3)

    def test_a_default_of_the_server_is_written(self):
        assert schema_of(int, default=3, json_schema_extra=server_default(3))["default"] == 3

    def test_a_literal_becomes_an_enum(self):
        assert schema_of(Literal["only"]) == {"type": "string", "enum": ["only"]}
        assert schema_of(Literal["a", "b"]) == {"type": "string", "enum": ["a", "b"]}

    def test_an_exclusive_bound_is_written_in_two_words(self):
        assert schema_of(int, gt=0) == {"type": "integer", "minimum": 0, "exclusiveMinimum": True}
        assert schema_of(int, lt=9) == {"type": "integer", "maximum": 9, "exclusiveMaximum": True}

    def test_a_quantity_is_a_number_or_a_string_that_is_not_negative(self):
        schema = schema_of(Quantity)
        assert schema["x-kubernetes-int-or-string"] is True
        assert schema["minimum"] == 0
        assert "type" not in schema

    def test_a_map_has_a_bound_and_a_schema_of_its_values(self):
        schema = schema_of(Quantities)
        assert (schema["type"], schema["maxProperties"]) == ("object", 16)
        assert schema["additionalProperties"] == schema_of(Quantity)

    def test_conditions_are_a_list_map_by_type(self):
        assert schema_of(Conditions)["x-kubernetes-list-map-keys"] == ["type"]

    def test_a_list_says_how_it_is_merged(self):
        schema = schema_of(Annotated[tuple[Part, ...], Field(max_length=2, json_schema_extra=list_map("size"))])
        assert schema["x-kubernetes-list-type"] == "map"
        assert schema["items"] == schema_of(Part)
        assert schema["maxItems"] == 2

    def test_closed_models_lose_a_word_that_the_server_refuses(self):
        class Closed(Model):
            """Closed."""

            model_config = ConfigDict(extra="forbid")
            size: int = 1

        assert "additionalProperties" not in schema_of(Closed)

    def test_metadata_is_left_to_the_server(self):
        class Sample(CustomResource):
            """A sample."""

        metadata = structural_schema(Sample)["properties"]["metadata"]
        assert set(metadata["properties"]) == {"name"}


class TestWhatIsRefused:
    def test_a_type_that_contains_itself(self):
        with pytest.raises(ValueError, match=r"Sample\.spec\.inner: Endless contains itself"):
            schema_of(Endless)

    def test_alternatives(self):
        with pytest.raises(ValueError, match=r"Sample\.spec: a structural schema has no alternatives"):
            schema_of(int | str)

    def test_tuples_of_different_types(self):
        with pytest.raises(ValueError, match=r"Sample\.spec: a structural schema has no place for 'prefixItems'"):
            schema_of(tuple[int, str])

    def test_open_models(self):
        class Open(Model):
            """Open."""

            model_config = ConfigDict(extra="allow")

        with pytest.raises(ValueError, match="x-kubernetes-preserve-unknown-fields"):
            schema_of(Open)
