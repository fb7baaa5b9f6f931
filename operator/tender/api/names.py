"""The names by which every part of Tender, and every framework outside of it, finds the same things."""

GROUP = "tender.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

LABEL_FRAMEWORK = f"{GROUP}/framework"
"""On pods and offers: the name of the Framework that they belong to."""
LABEL_OFFER = f"{GROUP}/offer"
"""On pods: the name of the ResourceOffer whose claim made room for the pod."""
LABEL_TASK = f"{GROUP}/task"
"""On pods: the name of the demand entry that the pod counts for."""
LABEL_ROLE = f"{GROUP}/role"
"""On pods: the role, of those of its framework, that the pod is charged to."""
LABEL_REVISION = f"{GROUP}/revision"
"""On pods: a hash of the template that the pod was made from."""

MANAGER_MASTER = "tender-master"
"""The master's field manager in server-side apply."""
MANAGER_SERVICE = "tender-service"
"""The service controller's field manager in server-side apply."""

DEFAULT_ROLE = "default"
"""The role of a framework that names none."""
