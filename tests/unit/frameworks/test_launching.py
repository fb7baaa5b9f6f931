"""From a claim that was won to its pods: their names follow from the claim alone."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import claim_of, framework, offer, owner_of, shape, slice_on, template

from tender.api.offer import ResourceOffer
from tender.frameworks.sdk.launching import pod_manifest, pod_names


def names(one: ResourceOffer) -> list[str]:
    return [name for name, _, _ in pod_names(one)]


class TestNames:
    def test_tell_framework_offer_slice_and_number(self):
        won = offer(slice_on(), slice_on("node-2"), claims=[claim_of(0, a=2), claim_of(1, b=1)], name="web-x7k2")
        assert list(pod_names(won)) == [
            ("web-x7k2-0-0", 0, "a"),
            ("web-x7k2-0-1", 0, "a"),
            ("web-x7k2-1-0", 1, "b"),
        ]

    def test_do_not_depend_on_the_order_in_which_the_claim_names_its_tasks(self):
        one, other = offer(claims=[claim_of(a=1, b=2)]), offer(claims=[claim_of(b=2, a=1)])
        assert list(pod_names(one)) == list(pod_names(other))

    def test_differ_between_offers_that_end_alike(self):
        first, second = (offer(claims=[claim_of(a=1)], name=name) for name in ("east-1", "west-1"))
        assert names(first) != names(second)

    def test_differ_between_frameworks_that_begin_alike(self):
        long = "a-framework-with-a-name-as-long-as-they-may-be"
        offers = [offer(of=of, name=f"{of}-1", claims=[claim_of(a=1)]) for of in (f"{long}-x", f"{long}-y")]
        assert names(offers[0]) != names(offers[1])

    def test_are_short_enough_for_a_host_name(self):
        framework_name = "f" * 63
        slices = [slice_on(f"node-{number}") for number in range(128)]
        won = offer(*slices, of=framework_name, name="f" * 54 + "-bcdfghjk", claims=[claim_of(127, a=1)])
        assert all(len(name) <= 63 for name in names(won))


labels = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?\Z")


@settings(deadline=None)
@given(labels, labels, labels, labels)
def test_two_offers_never_share_a_name(first_framework, first_suffix, second_framework, second_suffix):
    first, second = (
        offer(of=of, name=f"{of}-{suffix}", claims=[claim_of(0, a=2, b=1)])
        for of, suffix in ((first_framework, first_suffix), (second_framework, second_suffix))
    )
    if first.metadata.name != second.metadata.name:
        assert not set(names(first)) & set(names(second))


class TestThePod:
    def made(self, **fields):
        service = template()
        service["metadata"]["annotations"] = {"note": "kept"}
        one = shape("a", 1, service=service, revision="r7", **fields)
        return pod_manifest(framework("web"), one, offer(name="web-x7k2", role="shops"), "web-x7k2-0-0", "node-3")

    def test_belongs_to_its_framework(self):
        assert self.made()["metadata"]["ownerReferences"] == [owner_of("web")]
        assert self.made()["metadata"]["namespace"] == "shop"

    def test_carries_the_labels_of_the_accounts_besides_its_own(self):
        assert self.made()["metadata"]["labels"] == {
            "app": "web",
            "tender.dev/framework": "web",
            "tender.dev/offer": "web-x7k2",
            "tender.dev/role": "shops",
            "tender.dev/task": "a",
            "tender.dev/revision": "r7",
        }

    def test_carries_the_labels_of_its_shape_though_none_in_place_of_those_of_the_accounts(self):
        labels = self.made(labels={"tender.dev/instance": "node-0", "app": "db", "tender.dev/task": "b"})["metadata"][
            "labels"
        ]
        assert (labels["tender.dev/instance"], labels["app"], labels["tender.dev/task"]) == ("node-0", "db", "a")

    def test_keeps_the_annotations_of_its_template(self):
        assert self.made()["metadata"]["annotations"] == {"note": "kept"}

    def test_is_placed_on_the_node_of_its_slice(self):
        assert self.made()["spec"]["nodeName"] == "node-3"

    def test_tolerates_what_its_framework_tolerates(self):
        taint = {"key": "dedicated", "operator": "Exists"}
        assert self.made(tolerations=(taint,))["spec"]["tolerations"] == [taint]

    def test_a_toleration_of_template_and_framework_is_written_once(self):
        taint = {"key": "dedicated", "operator": "Exists"}
        one = shape("a", 1, service=template(tolerations=[taint]), tolerations=(taint,))
        made = pod_manifest(framework(), one, offer(), "web-1", "node-1")
        assert made["spec"]["tolerations"] == [taint]
