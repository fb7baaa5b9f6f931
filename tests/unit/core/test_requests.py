"""What a pod takes from its node: the cases of Kubernetes' own tests, and of its API server's defaulting."""

from typing import Any

import pytest

from tender.api.core import decode_pod
from tender.api.requests import pod_requests, template_requests

MIB = 2**20
GIB = 2**30


def container(name: str = "main", limits: Any = None, **requests: Any) -> dict[str, Any]:
    resources = {"requests": requests} if requests else {}
    return {"name": name, "resources": resources | ({"limits": limits} if limits else {})}


def sidecar(name: str = "sidecar", **requests: Any) -> dict[str, Any]:
    return container(name, **requests) | {"restartPolicy": "Always"}


def requests_of(*containers: dict[str, Any], init: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, int]:
    return template_requests({"containers": list(containers), "initContainers": init or [], **spec})


class TestContainers:
    def test_are_summed(self):
        assert requests_of(container(cpu="1", memory="1Gi"), container(cpu="500m")) == {
            "cpu": 1500,
            "memory": GIB,
            "pods": 1,
        }

    def test_without_requests_take_only_a_place(self):
        assert requests_of(container()) == {"pods": 1}

    def test_extended_resources_are_counted(self):
        gpus = {"example.com/gpu": "2"}
        assert requests_of(container(limits=gpus), container(limits=gpus))["example.com/gpu"] == 4

    def test_a_limit_is_the_default_for_a_missing_request(self):
        assert requests_of(container(limits={"cpu": "2", "memory": "1Gi"}, cpu="1")) == {
            "cpu": 1000,
            "memory": GIB,
            "pods": 1,
        }

    def test_an_explicit_request_of_zero_is_kept(self):
        assert requests_of(container(limits={"cpu": "2"}, cpu="0"))["cpu"] == 0

    def test_bare_numbers_are_quantities(self):
        assert requests_of(container(cpu=0.25), container(cpu=2))["cpu"] == 2250


class TestInitContainers:
    @pytest.mark.parametrize(
        ("init", "containers", "cpu"),
        [
            pytest.param([container(cpu="4")], [container(cpu="1")], 4000, id="a larger one counts alone"),
            pytest.param(
                [container(cpu="2")],
                [container(cpu="2"), container(cpu="3")],
                5000,
                id="a smaller one does not count",
            ),
            pytest.param([sidecar(cpu="1")], [container(cpu="1")], 2000, id="a sidecar runs beside the containers"),
            pytest.param(
                [container(cpu="5"), sidecar("a", cpu="1"), sidecar("b", cpu="2"), sidecar("c", cpu="3")],
                [container(cpu="1")],
                7000,
                id="sidecars listed after an init container do not run with it",
            ),
            pytest.param(
                [
                    container(cpu="5"),
                    sidecar("a", cpu="1"),
                    sidecar("b", cpu="2"),
                    container(cpu="5"),
                    sidecar("c", cpu="3"),
                ],
                [container(cpu="1")],
                8000,
                id="sidecars listed before an init container run with it",
            ),
            pytest.param(
                [sidecar(cpu="10"), container(cpu="200")],
                [container(cpu="100")],
                210_000,
                id="a sidecar, then a large init container",
            ),
        ],
    )
    def test_set_the_floor(self, init, containers, cpu):
        assert requests_of(*containers, init=init) == {"cpu": cpu, "pods": 1}

    def test_the_larger_is_taken_per_resource(self):
        assert requests_of(container(cpu="1", memory="2Gi"), init=[container(cpu="3", memory="1Gi")]) == {
            "cpu": 3000,
            "memory": 2 * GIB,
            "pods": 1,
        }

    def test_a_resource_that_only_they_name_counts(self):
        init = [container("fetch", **{"ephemeral-storage": "1Gi"})]
        assert requests_of(container(cpu="1"), init=init)["ephemeral-storage"] == GIB

    def test_limits_are_the_default_there_too(self):
        assert requests_of(container(cpu="1"), init=[container(limits={"cpu": "3"})])["cpu"] == 3000


class TestOverhead:
    def test_comes_on_top(self):
        total = requests_of(
            container(cpu="2"),
            container(cpu="3"),
            init=[container(cpu="2")],
            overhead={"cpu": "1", "memory": "1Gi"},
        )
        assert total == {"cpu": 6000, "memory": GIB, "pods": 1}

    def test_comes_on_top_of_pod_level_requests(self):
        assert requests_of(container(), resources={"requests": {"cpu": "2"}}, overhead={"cpu": "250m"})["cpu"] == 2250


class TestPodLevelResources:
    def test_replace_the_sum_of_the_containers(self):
        total = requests_of(
            container(memory="3Mi", cpu="2m"),
            init=[sidecar(memory="5Mi", cpu="4m"), container(memory="6Mi", cpu="8m")],
            resources={"requests": {"memory": "15Mi", "cpu": "18m"}},
        )
        assert total == {"memory": 15 * MIB, "cpu": 18, "pods": 1}

    def test_leave_what_they_do_not_name_to_the_containers(self):
        total = requests_of(container(cpu="2m", memory="3Mi"), resources={"requests": {"memory": "6Mi"}})
        assert total == {"cpu": 2, "memory": 6 * MIB, "pods": 1}

    def test_other_resources_are_ignored_there(self):
        total = requests_of(
            container(**{"ephemeral-storage": "1Mi"}),
            resources={"requests": {"ephemeral-storage": "9Mi"}, "limits": {"example.com/gpu": "1"}},
        )
        assert total == {"ephemeral-storage": MIB, "pods": 1}

    def test_a_limit_counts_where_no_container_requests_the_resource(self):
        total = requests_of(container(cpu="1"), resources={"limits": {"cpu": "4", "memory": "1Gi"}})
        assert total == {"cpu": 1000, "memory": GIB, "pods": 1}

    def test_huge_pages_take_the_limit(self):
        pages = {"hugepages-2Mi": "4Mi"}
        total = requests_of(container(limits=pages, **pages), resources={"limits": {"hugepages-2Mi": "10Mi"}})
        assert total["hugepages-2Mi"] == 10 * MIB


class TestMistakes:
    def test_a_wrong_amount_is_named_with_its_container(self):
        with pytest.raises(ValueError, match=r"container web resources\.requests\.cpu: 'two'"):
            requests_of(container("web", cpu="two"))

    def test_a_wrong_shape_is_named_with_its_field(self):
        with pytest.raises(ValueError, match=r"pod template's spec: .*containers"):
            template_requests({"containers": "web"})


class TestPods:
    def test_a_pod_of_the_api_server_counts_the_same(self):
        pod = decode_pod(
            b'{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"250m"}}}]}}'
        )
        assert pod_requests(pod.spec) == {"cpu": 250, "pods": 1}
