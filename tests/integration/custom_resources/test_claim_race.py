"""Two answer an offer at the same moment: one wins, every time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import ClassVar

import pytest
from tests.integration.custom_resources.objects import Manifest, Objects, RefusedError, claim, offer

ROUNDS = 200


class TestARaceForOneOffer:
    """Two answer at the same moment; the API server lets one of them win, every time."""

    MASTER: ClassVar[Manifest] = {"phase": "Rescinded", "message": "node-1 is gone"}

    @pytest.mark.parametrize("says_version", [True, False], ids=["with resourceVersion", "without"])
    @pytest.mark.parametrize(
        "answers",
        [
            ({"phase": "Claimed", "claims": [claim(0)]}, {"phase": "Claimed", "claims": [claim(1)]}),
            ({"phase": "Claimed", "claims": [claim(0)]}, MASTER),
        ],
        ids=["two claimers", "claimer and master"],
    )
    def test_one_wins(self, objects: Objects, answers: tuple[Manifest, Manifest], says_version: bool):
        start = Barrier(2)

        def answer(name: str, version: str, status: Manifest) -> int:
            change: Manifest = {"status": status}
            if says_version:
                change["metadata"] = {"resourceVersion": version}
            start.wait()
            try:
                objects.patch("ResourceOffer", name, change, "status")
            except RefusedError as lost:
                return lost.status
            return 200

        wins = [0, 0]
        with ThreadPoolExecutor(2) as pool:
            for turn in range(ROUNDS):
                name = f"web-{turn}"
                version = objects.create(offer(name=name))["metadata"]["resourceVersion"]
                runs = [pool.submit(answer, name, version, status) for status in answers]
                codes = [run.result() for run in runs]
                assert sorted(codes) in ([200, 409], [200, 422])
                winner = codes.index(200)
                assert objects.get("ResourceOffer", name)["status"] == answers[winner]
                wins[winner] += 1
        assert sum(wins) == ROUNDS

    def test_one_wins_with_the_same_claim_when_both_say_the_version(self, objects: Objects):
        version = objects.create(offer())["metadata"]["resourceVersion"]
        change = {
            "metadata": {"resourceVersion": version},
            "status": {"phase": "Claimed", "claims": [claim(0)], "answeredAt": "2026-01-01T00:00:00Z"},
        }
        objects.patch("ResourceOffer", "web-1", change, "status")
        with pytest.raises(RefusedError) as lost:
            objects.patch("ResourceOffer", "web-1", change, "status")
        assert lost.value.status == 409
