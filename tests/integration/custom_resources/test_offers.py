"""The API server judges every answer to an offer: what fits is taken, once."""

import pytest
from tests.integration.custom_resources.objects import MANY_RESOURCES, Manifest, Objects, claim, offer, refusal

from tender.api import MOST_SLICES, ResourceOffer


class TestAnOffer:
    def test_is_open_when_it_is_made(self, objects: Objects):
        assert objects.create(offer())["status"] == {"phase": "Offered"}
        assert objects.get("ResourceOffer", "web-1")["status"] == {"phase": "Offered"}

    def test_cannot_be_made_with_an_answer(self, objects: Objects):
        created = objects.create({**offer(), "status": {"phase": "Claimed", "claims": [claim()]}})
        assert created["status"] == {"phase": "Offered"}

    def test_never_changes(self, objects: Objects):
        objects.create(offer())
        larger = offer({"node": "node-1", "resources": {"cpu": "3"}})
        message = refusal(objects.patch, "ResourceOffer", "web-1", {"spec": larger["spec"]})
        assert "spec: Invalid value: the spec of an offer cannot be changed" in message

    def test_has_at_least_one_slice(self, objects: Objects):
        written = offer()
        written["spec"]["slices"] = []
        assert "spec.slices in body should have at least 1 items" in refusal(objects.create, written)

    def test_has_at_most_128_slices(self, objects: Objects):
        slices = [{"node": f"node-{index}", "resources": {"cpu": 1}} for index in range(MOST_SLICES + 1)]
        assert "must have at most 128 items" in refusal(objects.create, offer(*slices))

    @pytest.mark.parametrize("amount", ["-1", -1])
    def test_is_refused_with_a_negative_amount(self, objects: Objects, amount: str | int):
        message = refusal(objects.create, offer({"node": "node-1", "resources": {"cpu": amount}}))
        assert "spec.slices[0].resources: Invalid value: an amount is negative" in message

    def test_of_the_largest_size_can_be_made_and_claimed_wholly(self, objects: Objects):
        amounts = dict.fromkeys(MANY_RESOURCES, "0" * 30 + "1G")
        tasks = {f"task-{index}": 100 for index in range(4)}
        slices = [
            {"node": f"node-{index:03}." + "n" * 240, "resources": amounts, "tasks": tasks}
            for index in range(MOST_SLICES)
        ]
        objects.create(offer(*slices))
        claims = [{"slice": index, "resources": amounts, "tasks": tasks} for index in range(MOST_SLICES)]
        objects.answer("web-1", phase="Claimed", claims=claims)
        read = ResourceOffer.read(objects.get("ResourceOffer", "web-1"))
        assert [claim.amounts for claim in read.status.claims] == [slice_.amounts for slice_ in read.spec.slices]


class TestAClaim:
    @pytest.fixture(autouse=True)
    def offered(self, objects: Objects) -> None:
        objects.create(offer())

    @pytest.mark.parametrize(
        "claims",
        [
            [claim(0, cpu="2", memory="1Gi"), claim(1, cpu=2, memory="1024Mi")],
            [claim(1, cpu="1500m")],
            [claim(0, cpu="2000m", memory=2**30)],
        ],
        ids=["whole", "part", "other units"],
    )
    def test_of_what_was_offered_is_taken(self, objects: Objects, claims: list[Manifest]):
        answered = objects.answer("web-1", phase="Claimed", claims=claims, refuseSeconds=5)
        assert answered["status"]["claims"] == claims

    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ([claim(0, cpu="2001m")], "status.claims: Invalid value: a claim is larger than its slice"),
            ([claim(0, cpu="1"), claim(1, memory="1025Mi")], "a claim is larger than its slice"),
            ([claim(0, gpu="1")], "a claim is larger than its slice"),
            ([claim(2)], "status.claims: Invalid value: a claim is on a slice that the offer does not have"),
            ([claim(-1)], "claims[0].slice in body should be greater than or equal to 0"),
            ([claim(128)], "claims[0].slice in body should be less than 128"),
            ([claim(0), claim(0)], "status.claims[1]: Duplicate value"),
            ([claim(0, cpu="-1")], "status.claims[0].resources: Invalid value: an amount is negative"),
            ([claim(0, cpu=-1)], "status.claims[0].resources: Invalid value: an amount is negative"),
            (
                [{"slice": 0, "resources": {}}],
                "claims[0].resources in body should have at least 1 prop",
            ),
            ([], "status.claims: Invalid value: claims belong to phase Claimed"),
        ],
    )
    def test_of_anything_else_is_refused(self, objects: Objects, claims: list[Manifest], expected: str):
        assert expected in refusal(objects.answer, "web-1", phase="Claimed", claims=claims)
        assert objects.get("ResourceOffer", "web-1")["status"] == {"phase": "Offered"}

    @pytest.mark.parametrize("phase", ["Offered", "Declined", "Rescinded", "Expired"])
    def test_belongs_to_phase_claimed(self, objects: Objects, phase: str):
        message = refusal(objects.answer, "web-1", phase=phase, claims=[claim()])
        assert "claims belong to phase Claimed: at least one with it, and none with another phase" in message

    def test_needs_a_phase_that_exists(self, objects: Objects):
        assert "status.phase: Unsupported value" in refusal(objects.answer, "web-1", phase="Taken")

    @pytest.mark.parametrize("seconds", [-1, 31_536_001])
    def test_goes_with_a_refusal_of_at_most_a_year(self, objects: Objects, seconds: int):
        message = refusal(objects.answer, "web-1", phase="Declined", refuseSeconds=seconds)
        assert "status.refuseSeconds" in message


class TestASecondAnswer:
    SAID_ALREADY = "status.phase: Invalid value: the offer has been answered already and its answer stays"

    FIRST: tuple[Manifest, ...] = (
        {"phase": "Claimed", "claims": [claim(0)], "refuseSeconds": 5},
        {"phase": "Declined", "refuseSeconds": 5},
        {"phase": "Rescinded"},
        {"phase": "Expired"},
    )
    SECOND: tuple[Manifest, ...] = (
        {"phase": "Claimed", "claims": [claim(1)]},
        {"phase": "Claimed", "claims": [claim(0), claim(1)]},
        {"phase": "Declined", "claims": None, "refuseSeconds": 60},
        {"phase": "Rescinded", "claims": None},
        {"phase": "Offered", "claims": None},
        {"phase": None, "claims": None, "refuseSeconds": None},
    )

    @pytest.mark.parametrize("first", FIRST, ids=lambda answer: answer["phase"])
    @pytest.mark.parametrize("second", SECOND, ids=lambda answer: str(answer["phase"]))
    def test_is_refused(self, objects: Objects, first: Manifest, second: Manifest):
        objects.create(offer())
        before = objects.answer("web-1", **first)["status"]
        if second["phase"] == first["phase"] and "claims" not in first and "refuseSeconds" not in second:
            objects.answer("web-1", **second)  # says the same again
        else:
            assert self.SAID_ALREADY in refusal(objects.answer, "web-1", **second)
        assert objects.get("ResourceOffer", "web-1")["status"] == before

    @pytest.mark.parametrize("status", [None, {}])
    def test_cannot_be_a_status_removed(self, objects: Objects, status: Manifest | None):
        objects.create(offer())
        answered = objects.answer("web-1", phase="Declined")
        assert self.SAID_ALREADY in refusal(objects.replace, {**answered, "status": status}, "status")

    def test_cannot_be_forced_by_another_field_manager(self, objects: Objects):
        objects.create(offer())
        objects.answer("web-1", phase="Claimed", claims=[claim(0)])
        written = {key: value for key, value in offer().items() if key != "spec"}
        rescinded = {**written, "status": {"phase": "Rescinded"}}
        assert refusal(objects.apply, rescinded, "tender-master", "status", force=True)

    def test_cannot_come_with_another_time(self, objects: Objects):
        objects.create(offer())
        declined = {"phase": "Declined", "refuseSeconds": 5}
        objects.answer("web-1", **declined, answeredAt="2026-01-01T00:00:00Z")
        message = refusal(objects.answer, "web-1", **declined, answeredAt="2026-01-01T00:00:01Z")
        assert self.SAID_ALREADY in message

    def test_may_add_a_message(self, objects: Objects):
        objects.create(offer())
        objects.answer("web-1", phase="Rescinded")
        objects.answer("web-1", message="node-1 is gone")
