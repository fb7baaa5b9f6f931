"""The Kubernetes Service in front of a service's pods."""

from typing import Any

from tests.builders import framework, template
from tests.unit.frameworks.world import ServiceWorld, running

HTTP = {"name": "http", "containerPort": 8080}


def exposing(*ports: dict[str, Any], expose: dict[str, Any] | None = None, **spec: Any) -> ServiceWorld:
    one = template(**spec)
    one["spec"]["containers"][0]["ports"] = list(ports)
    return running(1, one, expose=expose or {})


def kept(world: ServiceWorld) -> list[Any]:
    return [manifest for manifest in world.plan().keep if manifest["kind"] == "Service"]


def anew(world: ServiceWorld) -> Any:
    """The Service as it would be made now."""
    world.services.clear()
    (manifest,) = kept(world)
    return manifest


class TestExposure:
    def test_has_every_named_port_and_selects_the_framework_s_pods(self):
        manifest = anew(exposing(HTTP, {"name": "dns", "containerPort": 53, "protocol": "UDP"}, {"containerPort": 9}))
        assert manifest["metadata"]["name"] == "web"
        assert manifest["metadata"]["ownerReferences"][0]["name"] == "web"
        assert manifest["spec"] == {
            "type": "ClusterIP",
            "selector": {"tender.dev/framework": "web"},
            "ports": [
                {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": "http"},
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
            ],
        }

    def test_has_the_name_and_type_that_are_asked_for(self):
        manifest = anew(exposing(HTTP, expose={"name": "shop", "type": "NodePort"}))
        assert (manifest["metadata"]["name"], manifest["spec"]["type"]) == ("shop", "NodePort")

    def test_names_a_port_that_two_containers_share_once(self):
        sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": [{"name": "admin", "containerPort": 8080}]}
        manifest = anew(exposing(HTTP, initContainers=[sidecar]))
        assert [port["name"] for port in manifest["spec"]["ports"]] == ["http"]

    def test_is_written_once(self):
        assert kept(exposing(HTTP)) == []

    def test_is_written_again_when_something_of_it_changes(self):
        world = exposing(HTTP)
        world.change(expose={"type": "NodePort"})
        assert len(kept(world)) == 1
        world.settle()
        assert kept(world) == []

    def test_goes_when_it_is_not_wanted_any_more(self):
        world = exposing(HTTP)
        world.change(expose=None)
        assert [(one.kind, one.name) for one in world.plan().remove] == [("Service", "web")]
        world.settle()
        assert (world.services, world.plan().remove) == ({}, ())

    def test_of_an_earlier_name_goes(self):
        world = exposing(HTTP)
        world.change(expose={"name": "shop"})
        world.settle()
        assert list(world.services) == ["shop"]

    def test_without_a_named_port_stalls_the_service_whose_pods_run_on(self):
        world = exposing({"containerPort": 8080})
        state, reason, message = world.plan().state
        assert (state, reason) == ("Stalled", "NotExposable")
        assert message.startswith("spec.service.expose: no container of the template has a named port")
        assert world.ready == 1

    def test_needs_a_name_that_a_service_can_have(self):
        one = template()
        one["spec"]["containers"][0]["ports"] = [HTTP]
        world = ServiceWorld(framework("1st", service=one, replicas=0))
        world.change(expose={})
        assert "a Service cannot be called '1st'" in world.plan().state[2]
