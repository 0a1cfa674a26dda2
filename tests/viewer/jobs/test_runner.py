import threading

import pytest

from segcore.errors import SlideError
from viewer.jobs import JobRunner


@pytest.fixture
def runner(qapp):
    return JobRunner()


def listen(job):
    heard = []
    job.succeeded.connect(lambda value: heard.append(("succeeded", value)))
    job.failed.connect(lambda error: heard.append(("failed", error)))
    job.cancelled.connect(lambda: heard.append(("cancelled", None)))
    return heard


def test_a_result_arrives_on_the_main_thread(runner):
    threads = {}

    def work(_):
        threads["work"] = threading.current_thread()
        return 42

    job = runner.start("count", work)
    heard = listen(job)
    job.succeeded.connect(lambda _: threads.setdefault("heard", threading.current_thread()))

    assert runner.wait_idle(5)
    assert heard == [("succeeded", 42)]
    assert threads["heard"] is threading.main_thread()
    assert threads["work"] is not threading.main_thread()


def test_a_quiet_job_is_not_announced_but_waited_for(runner):
    announced = []
    runner.started.connect(announced.append)

    heard = listen(runner.start("get ready", lambda _: 42, quiet=True))

    assert runner.wait_idle(5)
    assert heard == [("succeeded", 42)]
    assert announced == []


def test_a_known_error_arrives_as_it_was_raised(runner):
    error = SlideError("gone")

    def work(_):
        raise error

    heard = listen(runner.start("fail", work))

    assert runner.wait_idle(5)
    assert heard == [("failed", error)]


def test_an_unknown_error_ends_the_job_too_and_the_next_one_runs(runner, caplog):
    def work(_):
        raise ZeroDivisionError

    heard = listen(runner.start("bug", work))
    assert runner.wait_idle(5)
    again = listen(runner.start("next", lambda _: "fine"))
    assert runner.wait_idle(5)

    assert heard[0][0] == "failed"
    assert again == [("succeeded", "fine")]
    assert "bug" in caplog.text


def test_cancelling_stops_the_work_at_its_next_report(runner):
    reached = threading.Event()

    def work(report):
        while True:
            reached.set()
            report(0.1, "on")

    job = runner.start("endless", work)
    heard = listen(job)
    job.progressed.connect(lambda *_: job.cancel())

    assert runner.wait_idle(5)
    assert reached.is_set()
    assert heard == [("cancelled", None)]


def test_a_result_that_comes_after_cancelling_is_not_delivered(runner):
    go = threading.Event()

    def work(_):
        go.wait(5)
        return "late"

    job = runner.start("deaf", work)
    heard = listen(job)
    job.cancel()
    go.set()

    assert runner.wait_idle(5)
    assert heard == [("cancelled", None)]


def test_partial_results_come_before_the_end_and_in_order(runner):
    heard = []

    def work(_):
        for part in range(5):
            job.stream(part)
        return "end"

    job = runner.start("stream", work)
    job.streamed.connect(heard.append)
    job.succeeded.connect(heard.append)

    assert runner.wait_idle(5)
    assert heard == [0, 1, 2, 3, 4, "end"]
