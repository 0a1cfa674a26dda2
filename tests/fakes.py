"""Stand-ins for people: what they answer, and what they were told."""

from pathlib import Path

from viewer.session.ports import PictureOptions


class Heard:
    """Takes the place of `Tell` and remembers what was said."""

    def __init__(self):
        self.said: list[tuple[str, str]] = []

    def info(self, text):
        self.said.append(("info", text))

    def warn(self, text):
        self.said.append(("warning", text))

    def page(self, title, text):
        self.said.append(("page", text))

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
    ):
        self.open_path: Path | None = open_path
        self.save_path: Path | None = save_path
        self.folder: Path | None = folder
        self.mpp: float | None = mpp
        self.yes = confirm
        self.words: str | None = text
        self.model: str | None = model
        self.package = package
        self.asked: list[str] = []

    def slide_to_open(self):
        return self.open_path

    def file_to_save(self, title, suggestion, pattern):
        self.asked.append(title)
        return self.save_path

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

    def confirm(self, question, yes):
        self.asked.append(question)
        return self.yes
