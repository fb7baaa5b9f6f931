"""Quantities are read as Kubernetes reads them, into integers, and written in its usual form."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity

from tender.api.meta import QUANTITY_SCHEMA
from tender.api.quantities import LARGEST_AMOUNT, format_amount, format_resources, parse, parse_resources

RESOURCES = st.sampled_from(["cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu"])
SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DIGITS = st.text("0123456789", min_size=1, max_size=9)


@st.composite
def quantities(draw: st.DrawFn) -> str:
    sign = draw(st.sampled_from(["", "+", "-"]))
    number = draw(
        st.one_of(
            DIGITS,
            st.builds("{}.{}".format, DIGITS, DIGITS),
            DIGITS.map("{}.".format),
            DIGITS.map(".{}".format),
        )
    )
    exponents = st.builds("{}{}".format, st.sampled_from("eE"), st.integers(-20, 20))
    return sign + number + draw(st.one_of(st.sampled_from(SUFFIXES), exponents))


class TestReading:
    @given(RESOURCES, quantities())
    def test_agrees_with_the_kubernetes_client_rounded_away_from_zero(self, resource: str, text: str):
        exact = parse_quantity(text) * (1000 if resource == "cpu" else 1)
        rounded = int(exact.to_integral_value(ROUND_CEILING if exact > 0 else ROUND_FLOOR))
        assert parse(resource, text) == max(-LARGEST_AMOUNT, min(LARGEST_AMOUNT, rounded))

    @pytest.mark.parametrize(
        ("resource", "text", "amount"),
        [
            ("cpu", "2", 2000),
            ("cpu", "250m", 250),
            ("cpu", "0.5", 500),
            ("cpu", "1u", 1),
            ("cpu", ".1", 100),
            ("cpu", 3, 3000),
            ("memory", "1Gi", 2**30),
            ("memory", "1G", 10**9),
            ("memory", "1.5Ki", 1536),
            ("memory", "1e3", 1000),
            ("memory", "12E2", 1200),
            ("memory", "1E", 10**18),
            ("memory", "100m", 1),
            ("nvidia.com/gpu", "8", 8),
            ("nvidia.com/gpu", 8, 8),
            ("cpu", "-250m", -250),
            ("memory", "-100m", -1),
        ],
    )
    def test_gives_milli_cpu_bytes_and_counts(self, resource: str, text: str | int, amount: int):
        assert parse(resource, text) == amount

    @pytest.mark.parametrize("resource", ["cpu", "memory"])
    @pytest.mark.parametrize("quantity", ["1e99", "9999999E", 10**30])
    def test_caps_amounts_beyond_64_bits(self, resource: str, quantity: str | int):
        assert parse(resource, quantity) == LARGEST_AMOUNT

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "abc",
            "1 Gi",
            "1Kj",
            "1gi",
            "1K",
            "1e",
            "1e3.5",
            "1e100000",
            "--1",
            "1.2.3",
            ".",
            "\u0663",
        ],
    )
    def test_refuses_what_is_no_quantity_and_names_it(self, text: str):
        with pytest.raises(ValueError, match="is no quantity") as refusal:
            parse("memory", text)
        assert repr(text) in str(refusal.value)

    def test_refuses_a_text_of_absurd_length(self):
        with pytest.raises(ValueError, match="is no quantity"):
            parse("memory", "1" * 10_000)

    def test_names_the_resource_of_a_wrong_entry(self):
        with pytest.raises(ValueError, match=r"^memory: '2 Gi' is no quantity"):
            parse_resources({"cpu": "1", "memory": "2 Gi"})

    def test_reads_a_mapping(self):
        assert parse_resources({"cpu": "1500m", "memory": "2Gi", "pods": 110}) == {
            "cpu": 1500,
            "memory": 2 * 2**30,
            "pods": 110,
        }


class TestWriting:
    @given(RESOURCES, st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT))
    def test_loses_nothing(self, resource: str, amount: int):
        text = format_amount(resource, amount)
        assert parse(resource, text) == amount
        assert parse_quantity(text) == (Decimal(amount) / 1000 if resource == "cpu" else amount)

    @pytest.mark.parametrize(
        ("resource", "amount", "text"),
        [
            ("cpu", 2000, "2"),
            ("cpu", 250, "250m"),
            ("cpu", -1500, "-1500m"),
            ("cpu", 0, "0"),
            ("memory", 2**30, "1Gi"),
            ("memory", 1536 * 2**20, "1536Mi"),
            ("memory", 1000, "1000"),
            ("memory", 0, "0"),
            ("hugepages-2Mi", 2**21, "2Mi"),
            ("nvidia.com/gpu", 1024, "1024"),
        ],
    )
    def test_uses_the_form_that_people_write(self, resource: str, amount: int, text: str):
        assert format_amount(resource, amount) == text

    def test_writes_a_mapping(self):
        assert format_resources({"cpu": 1500, "memory": 2**31}) == {"cpu": "1500m", "memory": "2Gi"}


class TestTheCustomResources:
    @given(quantities())
    def test_take_every_quantity_without_a_minus_sign(self, text: str):
        assert bool(re.search(str(QUANTITY_SCHEMA["pattern"]), text)) is not text.startswith("-")

    @given(st.text("0123456789.eEmkKMGi+-", max_size=6))
    def test_take_nothing_that_cannot_be_read(self, text: str):
        if re.search(str(QUANTITY_SCHEMA["pattern"]), text):
            assert parse("memory", text) >= 0
