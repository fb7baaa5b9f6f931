"""How many mutants the tests have killed, in all and in each module."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_OUTCOMES = {1: "killed", 3: "killed", 0: "survived", 5: "no tests", 33: "no tests", None: "not checked"}
_TIMEOUTS = {-24, 24, 36, 152, 255}


def score(metas: Iterable[Path]) -> dict[str, Any]:
    """The outcomes by module, with the names of those that were not killed."""
    modules: dict[str, Any] = {}
    sums: Counter[str] = Counter()
    for path in metas:
        codes: dict[str, int | None] = json.loads(path.read_text())["exit_code_by_key"]
        outcomes = {name: _outcome(code) for name, code in codes.items()}
        counts = Counter(outcomes.values())
        if counts:
            left = sorted(name for name, outcome in outcomes.items() if outcome in {"survived", "no tests"})
            modules[path.name.removesuffix(".py.meta")] = {**_figures(counts), "left": left}
            sums += counts
    return {**_figures(sums), "modules": modules}


def table(figures: dict[str, Any]) -> str:
    """The score for people."""
    lines = [f"{'module':16}{'mutants':>9}{'killed':>9}{'timeout':>9}{'survived':>10}{'no tests':>10}{'score':>9}"]
    for name, counts in [*figures["modules"].items(), ("all", figures)]:
        lines.append(
            f"{name:16}{counts['mutants']:>9}{counts['killed']:>9}{counts['timeout']:>9}{counts['survived']:>10}"
            f"{counts['no tests']:>10}{counts['score']:>8.1f}%"
        )
    return "\n".join(lines)


def _outcome(code: int | None) -> str:
    return "timeout" if code in _TIMEOUTS else _OUTCOMES.get(code, "killed")


def _figures(counts: Counter[str]) -> dict[str, Any]:
    checked = sum(counts.values()) - counts["not checked"]
    noticed = counts["killed"] + counts["timeout"]
    figures = {outcome: counts[outcome] for outcome in ("killed", "timeout", "survived", "no tests", "not checked")}
    return {"mutants": sum(counts.values()), **figures, "score": round(100 * noticed / checked, 1) if checked else 0.0}
