"""The kinds of object that Tender reads or writes, and the URL path of each.

A `Resource` is a value that names a kind to `Client` and `ListWatch`; nothing is discovered at run time.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from tender.api.names import GROUP, VERSION


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object as the API server serves it; `group` is empty for the core kinds."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of an object of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path of one object, or of the collection (in all namespaces if none is given).

        Raises ValueError for an object of a namespaced kind without a namespace: its path would name another.
        """
        if self.namespaced and name and not namespace:
            raise ValueError(f"{self.plural} {name!r}: an object of this kind needs a namespace")
        parts = [_collection(self, namespace if self.namespaced else None)]
        if name:
            parts.append(quote(name, safe=""))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


@dataclass(frozen=True, slots=True)
class Document(Resource):
    """A document that the API server serves at its root."""

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL path."""
        return f"/{self.plural}"


@lru_cache(maxsize=4096)
def _collection(resource: Resource, namespace: str | None) -> str:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    place = f"{root}/namespaces/{quote(namespace, safe='')}" if namespace else root
    return f"{place}/{resource.plural}"


NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SERVICES = Resource("", "v1", "services", "Service")
VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)

SERVER_VERSION = Document("", "v1", "version", "Info", namespaced=False)
"""What the API server says of its own version."""

FRAMEWORKS = Resource(GROUP, VERSION, "frameworks", "Framework")
RESOURCE_OFFERS = Resource(GROUP, VERSION, "resourceoffers", "ResourceOffer")
FRAMEWORK_ROLES = Resource(GROUP, VERSION, "frameworkroles", "FrameworkRole", namespaced=False)
RESERVATIONS = Resource(GROUP, VERSION, "reservations", "Reservation")
