"""A network of another program: chosen, asked about, run in a process of its own, and remembered."""

import json

import pytest

from tests.segcore.models.test_bioimage_reading import Channelslast, files_04, script, zipped
from viewer.jobs.models import Models
from viewer.jobs.packages import PackageAnswer
from viewer.widgets.right_panels import ModelPanel

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
SAID = PackageAnswer(trusted=True, mpp=0.5, classes=("Tumor",))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return zipped(files_04(script(Channelslast())), tmp_path_factory.mktemp("p") / "old.zip")


def person_who(open_window, package, answer):
    person = open_window(model=str(package), package=answer)
    person.session.models = Models()
    return person


def test_what_is_not_trusted_is_not_run_and_the_model_stays(open_window, package, monkeypatch):
    def started(*_args, **_kwargs):
        raise AssertionError("a child was started")

    monkeypatch.setattr("segcore.models.foreign_network.subprocess.Popen", started)
    person = person_who(open_window, package, None)

    person.does("segment.model")
    person.waits()

    asked = person.session.ask.asked[-1]
    assert (asked.path, asked.runs_program, asked.asks_mpp, asked.channels) == (package, True, True, ("",))  # fmt: skip
    assert person.messages()[-1] == "Old was not run; the model is as it was."
    assert person.session.settings["model"] == "default"


def test_a_trusted_package_segments_and_is_never_asked_about_again(open_window, package, slide):
    person = person_who(open_window, package, SAID)
    person.does("segment.model")
    person.waits()
    assert person.session.settings["model"] == str(package)
    assert "Old (bioimage.io package)" in person.messages()[-1]
    assert person.window.findChild(ModelPanel).name.text() == "old"

    person.opens(slide)
    person.region(100, 100, 400, 300)
    person.does("segment.region")
    person.waits()

    workspace = person.session.workspace
    assert workspace.document.mask.tiles
    run = json.loads(workspace.study.runs(workspace.slide_id)[-1])
    assert run["model"] == "Old"
    again = person_who(open_window, package, None)
    again.does("segment.model")
    again.waits()
    assert "Old (bioimage.io package)" in again.messages()[-1]
    assert len(again.session.ask.asked) == 1  # which model, and nothing about it
