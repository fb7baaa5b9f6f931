"""The chart carries the repository's custom resource definitions, and keeps them."""

import yaml
from tests.chart.helm import CHART, REPOSITORY, Helm

SOURCE = REPOSITORY / "crds"
COPY = CHART / "files" / "crds"


class TestTheCopies:
    def test_are_the_generated_files(self):
        source = {path.name: path.read_text() for path in SOURCE.glob("*.yaml")}
        copy = {path.name: path.read_text() for path in COPY.glob("*.yaml")}
        assert copy == source, "run `make crds`"


class TestTheRenderedDefinitions:
    def test_say_what_the_files_say(self, helm: Helm):
        rendered = {each["metadata"]["name"]: each for each in helm.template().of("CustomResourceDefinition")}
        files = [yaml.safe_load(path.read_text()) for path in COPY.glob("*.yaml")]
        assert rendered.keys() == {each["metadata"]["name"] for each in files}
        for each in files:
            assert rendered[each["metadata"]["name"]]["spec"] == each["spec"]

    def test_stay_when_the_release_goes(self, helm: Helm):
        for each in helm.template().of("CustomResourceDefinition"):
            assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}

    def test_go_with_it_if_that_is_asked_for(self, helm: Helm):
        for each in helm.template("crds.keep=false").of("CustomResourceDefinition"):
            assert not each["metadata"].get("annotations")

    def test_carry_further_annotations(self, helm: Helm):
        for each in helm.template("crds.annotations.team=platform").of("CustomResourceDefinition"):
            assert each["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep", "team": "platform"}

    def test_can_be_left_to_others(self, helm: Helm):
        assert not helm.template("crds.install=false").of("CustomResourceDefinition")
