"""What is asked of single pods."""

from tests.unit.frameworks.stateful.courses import pod_request, refusal, results

from tender.api.stateful import RequestResult
from tender.frameworks.stateful.orders import Order, PodAnswers, answer_pods
from tender.frameworks.stateful.overrides import Overrides

PODS = ("node-0", "node-1")
DONE = RequestResult(id="a", result="Done")


def ask(*requests, before=(), overrides=Overrides(), records=None) -> PodAnswers:  # noqa: B008
    return answer_pods(requests, before, overrides, PODS, {"node-0": (), "node-1": ()} if records is None else records)


class TestOrders:
    def test_an_order_is_given_until_the_record_of_the_pod_has_taken_it_up(self):
        request = pod_request("a", "Replace", "node-1")
        first = ask(request)
        assert first == PodAnswers((), Overrides(), (Order("node-1", "Replace", "pod/a"),))
        second = ask(request, records={"node-0": (), "node-1": ("pod/a",)})
        assert second == PodAnswers((DONE,), Overrides())

    def test_a_pod_that_was_never_begun_has_nothing_to_restart(self):
        assert results(ask(pod_request("a", "Restart"), records={})) == ["a Done"]

    def test_orders_to_several_pods_are_given_at_once(self):
        answers = ask(pod_request("a", "Restart"), pod_request("b", "Restart", "node-1"))
        assert [order.instance for order in answers.orders] == ["node-0", "node-1"]

    def test_requests_about_one_pod_follow_each_other(self):
        requests = pod_request("a", "Restart"), pod_request("b", "Replace"), pod_request("c", "Pause")
        first = ask(*requests)
        assert [order.id for order in first.orders] == ["pod/a"]
        taken = ask(*requests, records={"node-0": ("pod/a",)})
        assert (results(taken), taken.orders) == (["a Done"], ())
        known = ask(*requests, before=[DONE], records={"node-0": ("pod/a",)})
        assert [order.id for order in known.orders] == ["pod/b"]
        assert known.overrides == Overrides()


class TestPause:
    def test_a_paused_pod_stays_paused_until_resume(self):
        paused = ask(pod_request("a", "Pause"))
        assert paused.overrides.fields() == {"paused": ["pod/node-0"]}
        assert ask(pod_request("b", "Resume"), overrides=paused.overrides).overrides == Overrides()

    def test_resume_of_a_pod_that_is_not_paused_changes_nothing(self):
        assert ask(pod_request("a", "Resume")) == PodAnswers((DONE,), Overrides())

    def test_a_pod_that_is_gone_is_not_paused_any_more(self):
        assert ask(overrides=Overrides(paused_pods=frozenset({"node-7", "node-1"}))).overrides.paused_pods == {"node-1"}

    def test_more_pauses_than_the_status_takes_are_refused(self):
        full = Overrides(paused=frozenset(f"p{number}" for number in range(128)))
        answers = ask(pod_request("a", "Pause"), overrides=full)
        assert "status.stateful.paused would have 129 entries and takes 128" in refusal(answers)
        assert answers.overrides == full


class TestNames:
    def test_an_unknown_pod_is_refused_and_told_which_there_are(self):
        assert refusal(ask(pod_request("a", "Restart", "node-7"))) == "there is no pod node-7: there are node-0, node-1"


class TestResults:
    def test_results_of_requests_that_are_gone_from_the_spec_go_too(self):
        assert ask(pod_request("b", "Resume"), before=[DONE]).results == (RequestResult(id="b", result="Done"),)

    def test_a_request_that_has_a_result_is_not_carried_out_again(self):
        assert ask(pod_request("a", "Pause"), before=[DONE]) == PodAnswers((DONE,), Overrides())
