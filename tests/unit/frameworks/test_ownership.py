"""What a framework's objects have in common: names, labels, owners, and how they are told to be as wanted."""

import msgspec
from tests.builders import framework

from tender.api.core import Child
from tender.frameworks.sdk.ownership import as_marked, digest, joined_name, marked, owned_metadata


class TestNames:
    def test_are_made_of_the_framework_s_and_what_tells_them_apart(self):
        assert joined_name("web", "1a2b3c4d5e") == "web-1a2b3c4d5e"

    def test_that_would_be_too_long_are_cut_and_still_told_apart(self):
        names = {joined_name("a" * 60 + end, "1a2b3c4d5e") for end in ("b", "c", "d")}
        assert len(names) == 3
        assert {len(name) for name in names} == {63}

    def test_are_not_cut_behind_a_hyphen(self):
        assert "--" not in joined_name("a" * 51 + "-" + "b" * 10, "1a2b3c4d5e")


class TestMetadata:
    def test_names_the_framework_as_owner_and_in_a_label(self):
        metadata = owned_metadata(framework("web"), "web-1", {"a": "b"})
        assert metadata["labels"] == {"a": "b", "tender.dev/framework": "web"}
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == (
            "Framework",
            "web",
            "uid-of-web",
            True,
        )


MANIFEST = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}}


class TestMarks:
    def as_seen(self, manifest):
        return msgspec.convert(manifest, Child).metadata

    def test_an_object_that_was_applied_as_wanted_is_known_by_its_mark(self):
        assert as_marked(self.as_seen(marked(MANIFEST)), marked(MANIFEST))

    def test_another_wish_is_another_mark(self):
        wanted = marked({**MANIFEST, "spec": {"type": "NodePort"}})
        assert not as_marked(self.as_seen(marked(MANIFEST)), wanted)

    def test_an_object_without_a_mark_is_not_as_wanted(self):
        assert not as_marked(self.as_seen(MANIFEST), marked(MANIFEST))

    def test_the_order_of_fields_does_not_matter(self):
        assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
