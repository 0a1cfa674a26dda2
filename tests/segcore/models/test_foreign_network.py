"""Networks of others run in a process of their own: what they do there stays there."""

import io
import threading

import numpy as np
import pytest
import torch

from segcore.errors import ModelError
from segcore.models import foreign_network
from segcore.models.foreign_network import ForeignNetwork

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
CPU = torch.device("cpu")


class Moody(torch.nn.Module):
    """Does what the first number of its input says."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        what = int(x.flatten()[0].item())
        if what == 1:
            raise RuntimeError("a mood\nof two lines")
        if what == 2:
            while x.size(0) > 0:
                x = x + 1.0
        if what == 3:
            return torch.zeros([1000000, 1000000])
        if what == 4:
            print("+ an answer of its own")  # noqa: T201 - what is tested
        if what == 5:
            return torch.zeros([1 << 31])
        return x * 2.0


def script(network):
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(network), stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def content():
    return script(Moody())


@pytest.fixture
def moody(content):
    network = ForeignNetwork("torchscript", content, CPU, name="moody.pt")
    yield network
    network.close()


def refused(action, match):
    with pytest.raises(ModelError, match=match) as caught:
        action()
    assert len(str(caught.value).splitlines()) == 1


def mood(number):
    return np.array([[number, 5]], np.float32)


def test_it_survives_what_it_raises_and_prints_and_cannot_take_all_memory(moody):
    assert moody(mood(0)).tolist() == [[0, 10]]
    refused(lambda: moody(mood(1)), "moody.pt cannot be run: it fails")
    refused(lambda: moody(mood(3)), "moody.pt cannot be run")
    assert moody(mood(4)).tolist() == [[8, 10]]
    refused(lambda: moody(mood(5)), "moody.pt cannot be run")


def test_one_that_hangs_is_stopped(moody, monkeypatch):
    monkeypatch.setattr(foreign_network, "SECONDS", 0.5)
    refused(lambda: moody(mood(2)), "longer than 0.5 s")
    refused(lambda: moody(mood(0)), "its process failed")


def test_threads_may_share_it(moody):
    answers = {}

    def ask(number):
        answers[number] = moody(np.full((2, 2), number, np.float32))[0, 0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10, 30)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == {number: 2 * number for number in range(10, 30)}


def test_the_process_ends_with_the_object(content):
    network = ForeignNetwork("torchscript", content, CPU, name="moody.pt")
    child = network._child

    del network

    assert child.poll() is not None


def test_what_is_no_network_is_refused():
    refused(lambda: ForeignNetwork("torchscript", b"junk", CPU, name="j.pt"), "j.pt cannot be run")


def test_a_child_that_died_is_told(moody):
    moody._child.kill()
    moody._child.wait()
    refused(lambda: moody(mood(0)), "its process failed")
