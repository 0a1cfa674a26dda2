"""What must stay true of the code as a whole."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "segcore").rglob("*.py"), *(ROOT / "viewer").rglob("*.py")])
LONGEST_MODULE, LONGEST_FUNCTION, LONGEST_CLASS = 350, 40, 250


def test_imports_run_one_way():
    # In a process of its own: the linter's logging setup would silence every logger of ours.
    command = Path(sys.executable).with_name("lint-imports")

    ended = subprocess.run([command], cwd=ROOT, check=False, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_fits_in_one_reading_and_a_function_on_one_screen(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        length = (node.end_lineno or 0) - node.lineno + 1 if hasattr(node, "lineno") else 0
        if isinstance(node, ast.FunctionDef):
            length -= (ast.get_docstring(node) or "").count("\n") + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"
        elif isinstance(node, ast.ClassDef):
            assert length <= LONGEST_CLASS, f"{node.name} has {length} lines"


def test_every_folder_says_what_its_noun_is():
    for init in [p for p in SOURCES if p.name == "__init__.py"]:
        assert len(ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "") > 60, init


def test_no_folder_is_a_drawer_for_odds_and_ends():
    names = {part for path in SOURCES for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}

    assert not names & {"utils", "util", "helpers", "common", "misc"}


def test_the_engine_starts_without_qt_and_its_readers_without_torch():
    code = (
        "import sys, segcore.slides, segcore.annotations, segcore.evaluation, segcore.cli\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'torch', 'PySide6', 'captum'}, loaded\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
