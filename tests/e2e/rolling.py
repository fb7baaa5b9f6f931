"""A service whose template changes, and what must hold of its pods all the while and at the end."""

from tests.e2e.pod_history import PodHistory
from tests.e2e.services import Manifest, Namespace, service

NAME = "rolling"


class Roll:
    """From a service that is ready with the template `before` to the same with `after`."""

    def __init__(
        self,
        namespace: Namespace,
        history: PodHistory,
        replicas: int,
        before: Manifest,
        after: Manifest,
        **spec: object,
    ) -> None:
        self._namespace = namespace
        self._history = history
        self._replicas = replicas
        self._after = after
        self._spec = spec
        namespace.apply(service(NAME, replicas, before, **spec))
        self._wait_until_ready()
        history.catch_up()
        [self._old] = {pod.revision for pod in history.pods()}
        self.begun = history.now

    def begin(self) -> None:
        """Change the template."""
        self._namespace.apply(service(NAME, self._replicas, self._after, **self._spec))

    def is_done(self) -> bool:
        """Whether no pod of the old template is live any more, and enough of the new one are ready."""
        pods = self._history.pods()
        live = [pod for pod in pods if pod.live]
        return len(live) == self._replicas and all(pod.ready and pod.revision != self._old for pod in live)

    def finish(self) -> None:
        """Wait until the roll is through, and hold all that happened to what must be."""
        self._history.wait_until(f"{self._replicas} pods of the new template are ready", lambda _: self.is_done())
        self._wait_until_ready()
        self._history.wait_until("the others are gone", lambda pods: all(pod.live for pod in pods))
        self._history.catch_up()
        assert self.is_done(), f"it did not stay so:\n{self._history.tail()}"
        self._assert_never_too_many_or_too_few()
        self._assert_each_pod_was_created_once()

    def _wait_until_ready(self) -> None:
        self._namespace.wait_for("Ready", f"framework/{NAME}")

    def _assert_never_too_many_or_too_few(self) -> None:
        moments = self._history.since(self.begun)
        told = "\n".join(str(moment) for moment in moments)
        assert max(moment.live for moment in moments) <= self._replicas + 1, told
        assert min(moment.ready for moment in moments) >= self._replicas, told

    def _assert_each_pod_was_created_once(self) -> None:
        created = self._history.created()
        names, uids = {pod.name for pod in created}, {pod.uid for pod in created}
        assert len(names) == len(uids) == len(created), f"a name was used twice: {sorted(pod.name for pod in created)}"
        new = self._history.created(self.begun)
        assert {pod.revision for pod in new}.isdisjoint({self._old})
        assert len(new) == self._replicas, f"a pod was lost or doubled: {[pod.name for pod in new]}"
