import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Threads that wait for one another on a busy machine make small networks twenty times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real slides and annotations, or skip where it is absent."""
    place = os.environ.get("ACINUS_TEST_DATA")
    folder = Path(place) if place else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real slides are not here ({folder}); set ACINUS_TEST_DATA to their folder")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test out of the user's own data folder."""
    home = tmp_path / "home"
    monkeypatch.setenv("ACINUS_HOME", str(home))
    return home
