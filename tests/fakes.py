"""Stand-ins for people: what they answer, and what they were told."""

from dataclasses import replace
from pathlib import Path

from viewer.session.ports import PictureOptions


class Heard:
    """Takes the place of `Tell` and remembers what was said."""

    def __init__(self):
        self.said: list[tuple[str, str]] = []

    def info(self, text, *, offers=()):
        self.said.append(("info", text))

    def wrote(self, text, path):
        self.said.append(("info", f"{text} {path}"))

    def warn(self, text):
        self.said.append(("warning", text))

    def page(self, title, text):
        self.said.append(("page", text))

    def pictures(self, title, note, pictures):
        self.said.append(("pictures", f"{title} {note} {', '.join(pictures)}"))

    def error(self, text, *, details="", retry=None):
        self.said.append(("error", text if not details else f"{text} {details}"))

    def texts(self, kind):
        return [text for said, text in self.said if said == kind]


class Answers:
    """Takes the place of `Ask`; gives the answers it was made with."""

    def __init__(
        self,
        *,
        open_path=None,
        save_path=None,
        folder=None,
        mpp=None,
        confirm=True,
        text=None,
        model=None,
        package=None,
        properties=None,
        choice=None,
    ):
        self.open_path: Path | None = open_path
        self.save_path: Path | None = save_path
        self.folder: Path | None = folder
        self.mpp: float | None = mpp
        self.yes = confirm
        self.words: str | None = text
        self.model: str | None = model
        self.package = package
        self.told = properties
        self.choice: str | None = choice
        self.asked: list[str] = []

    def slide_to_open(self):
        return self.open_path

    def file_to_save(self, title, suggestion, pattern):
        self.asked.append(title)
        return self.save_path

    def file_to_open(self, title, pattern):
        self.asked.append(title)
        return self.open_path

    def properties(self, annotations, class_names, taxonomy):
        self.asked.append(f"properties of {len(annotations)}")
        return self.told

    def folder_to_make(self, title, suggestion):
        self.asked.append(title)
        return self.folder

    def pixel_size(self, slide_name, proposal):
        self.asked.append(f"pixel size of {slide_name}, proposed {proposal}")
        return self.mpp

    def text(self, title, question, suggestion=""):
        self.asked.append(title)
        return self.words

    def model_to_use(self, installed, current):
        self.asked.append(f"a model among {', '.join(installed)}, not {current}")
        return self.model

    def about_package(self, question):
        self.asked.append(question)
        return self.package

    def picture(self, width, height):
        self.asked.append(f"picture of {width} x {height}")
        return PictureOptions()

    def choose(self, title, text, choices):
        self.asked.append(text)
        self.offered = [each.value for each in choices]
        return self.offered[0] if self.choice is None else self.choice

    def export(self, question):
        """Order what the dialog would propose, to `save_path`."""
        self.asked.append(question)
        return None if self.save_path is None else replace(question.last, path=self.save_path)

    def project_images(self, project):
        self.asked.append(project)
        return [each for each in project.images if each.path is not None]

    def confirm(self, question, yes):
        self.asked.append(question)
        return self.yes
