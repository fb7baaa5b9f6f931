"""Replays a scenario step by step, and holds against it what can be seen from outside.

Offers and what became of them are read from the API server, the shares of roles from the master's metrics and those of
frameworks from their statuses. Only the order in which frameworks would be served, which nobody is told, is asked of
the master's ledger. The comparison is the one of `tender simulate`.
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.integration.running.waiting import until
from tests.integration.running.world import World
from tests.integration.scenarios.cluster_steps import WRITTEN_BY, objection
from tests.integration.scenarios.conductor import Conductor, conducted_master
from tests.integration.scenarios.stage import Refused, Stage
from tests.integration.scenarios.steps import act

from tender.allocation.cycle import serving_order
from tender.allocation.model import Shares
from tender.allocation.scenario import Record, Scenario, Step
from tender.allocation.scenario.expectations import TOLERANCE, unmet
from tender.allocation.shares import add_into
from tender.api.offer import OfferPhase

OTHER_WORDS = {
    "negative": ("must be greater than or equal to 0", "in body should match '^\\+?(([0-9]+"),
    "offer": ("is larger than its slice",),
}
"""How the API server says what it refuses, where it does not say it in the word that scenarios expect."""


async def replay(scenario: Scenario, world: World, kubeconfig: Path, *, only_named_nodes: bool = False) -> list[str]:
    """One line for every expectation that does not hold, as `tender simulate` prints it."""
    async with conducted_master(world, kubeconfig, scenario) as master:
        replay = _Replay(scenario, Stage(world, master), only_named_nodes=only_named_nodes)
        return [line for step in scenario.steps for line in await replay.play(step)]


class _Replay:
    def __init__(self, scenario: Scenario, stage: Stage, *, only_named_nodes: bool) -> None:
        self._scenario = scenario
        self._stage = stage
        self._world = stage.world
        self._only_named_nodes = only_named_nodes
        self._phases: dict[str, OfferPhase] = {}
        self._versions: dict[str, int] = {}
        self._known: set[str] = set()

    async def play(self, step: Step) -> list[str]:
        """Replay one step; what was expected of it and does not hold."""
        record = Record(step, self._world.clock())
        try:
            await act(self._stage, step.action, step.value, only_named_nodes=self._only_named_nodes)
            if "error" in step.expect and step.action in WRITTEN_BY:
                raise Refused(await objection(self._stage, step.action, step.value))
        except Refused as refused:
            record.refused = _in_the_words_of_scenarios(str(refused))
        await self._look_at_offers(record)
        if "shares" in step.expect:
            record.shares = await self._shares(step.expect["shares"])
        if "order" in step.expect:
            record.order = self._order(self._stage.master)
        if isinstance(step.value, Mapping):
            self._known |= {str(step.value[key]) for key in ("name", "role") if key in step.value}
        failures = unmet(record, frozenset(self._known))
        return [f"{self._scenario.file}: step {step.number} ({step.action}): {failure}" for failure in failures]

    async def _look_at_offers(self, record: Record) -> None:
        """What was offered, and what was taken back, since the last look.

        A list takes the API server as long as a whole step, so there is none where the master knows of no change.
        """
        versions = self._stage.master.offers()
        if versions == self._versions:
            return
        self._versions = versions
        made: dict[str, dict[str, dict[str, int]]] = {}
        rescinded: dict[str, int] = {}
        phases = {}
        for offer in await self._world.offers():
            framework, name = offer.spec.framework, offer.metadata.name
            phases[name] = offer.status.phase
            before = self._phases.get(name)
            if before is None:
                for one in offer.spec.slices:
                    add_into(made.setdefault(framework, {}).setdefault(one.node, {}), one.amounts)
            elif before == OfferPhase.OFFERED and phases[name] == OfferPhase.RESCINDED:
                rescinded[framework] = rescinded.get(framework, 0) + len(offer.spec.slices)
        self._phases = phases
        record.offers, record.rescinded = made, rescinded

    async def _shares(self, expected: Mapping[str, Any]) -> Shares:
        figures = await self._stage.master.part.figures()
        prefix = "tender_role_dominant_share{role="
        roles = {
            sample.removeprefix(prefix).removesuffix("}"): share
            / figures[sample.replace("dominant_share", "weight", 1)]
            for sample, share in figures.items()
            if sample.startswith(prefix)
        }
        there = {framework.metadata.name for framework in await self._world.frameworks()}
        frameworks = {name: await self._share_of(name, float(expected[name])) for name in there & expected.keys()}
        return Shares(roles, frameworks)

    async def _share_of(self, framework: str, expected: float) -> float:
        """What a framework's status comes to say of its share: it is written within a second or so."""
        said = -1.0

        async def is_as_expected() -> bool:
            nonlocal said
            allocation = (await self._world.framework(framework)).status.allocation
            said = float(allocation.dominant_share) if allocation is not None else -1.0
            return abs(said - expected) <= TOLERANCE

        try:
            await until(is_as_expected, "the share", patience=5.0)
        except AssertionError:
            return said
        return said

    def _order(self, master: Conductor) -> list[str]:
        keys = serving_order(master.ledger, self._scenario.settings, Random(self._scenario.seed))
        return [key.partition("/")[2] for key in keys]


def _in_the_words_of_scenarios(message: str) -> str:
    """The message, after the words in which a scenario would have put it."""
    words = [word for word, others in OTHER_WORDS.items() if any(other in message for other in others)]
    return ": ".join([*words, message])
