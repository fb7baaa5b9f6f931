"""The score of mutation tests: what was noticed, of what was tried."""

import json

from mutation.score import score, table


def metas(folder, **modules):
    """Files as mutmut writes them: by module, what pytest returned for each mutant."""
    paths = []
    for module, codes in modules.items():
        path = folder / f"{module}.py.meta"
        path.write_text(json.dumps({"exit_code_by_key": codes}))
        paths.append(path)
    return paths


class TestTheScore:
    def test_counts_what_failed_broke_or_never_ended_as_noticed(self, tmp_path):
        figures = score(metas(tmp_path, tree={"a": 1, "b": 3, "c": -24, "d": 0}))
        assert (figures["killed"], figures["timeout"], figures["survived"]) == (2, 1, 1)
        assert figures["score"] == 75.0

    def test_counts_what_no_test_runs_as_not_noticed(self, tmp_path):
        figures = score(metas(tmp_path, tree={"a": 1, "b": 33}))
        assert (figures["no tests"], figures["score"]) == (1, 50.0)

    def test_leaves_out_what_was_not_tried(self, tmp_path):
        figures = score(metas(tmp_path, tree={"a": 1, "b": None}))
        assert (figures["mutants"], figures["not checked"], figures["score"]) == (2, 1, 100.0)

    def test_is_told_by_module_with_the_names_of_what_survived(self, tmp_path):
        figures = score(metas(tmp_path, tree={"a": 1, "b": 0}, quotas={"c": 1}, empty={}))
        assert figures["mutants"] == 3
        assert {name: (one["score"], one["left"]) for name, one in figures["modules"].items()} == {
            "tree": (50.0, ["b"]),
            "quotas": (100.0, []),
        }

    def test_has_a_line_for_each_module_and_one_for_all(self, tmp_path):
        lines = table(score(metas(tmp_path, tree={"a": 1, "b": 0}))).splitlines()
        assert [line.split()[0] for line in lines] == ["module", "tree", "all"]
        assert lines[1].endswith("50.0%")
