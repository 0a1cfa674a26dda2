import pytest

from segcore.errors import ModelError
from segcore.models import create_model, model_names


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(ModelError) as caught:
        create_model("lightmuseg-v9", classes=2)

    assert all(name in str(caught.value) for name in model_names())


@pytest.mark.parametrize("classes", [0, -1, 256, 10**12])
def test_an_absurd_number_of_classes_is_refused(classes):
    with pytest.raises(ModelError, match="1 to 255"):
        create_model("lightmuseg-v2", classes=classes)


def test_an_unknown_argument_is_named():
    with pytest.raises(ModelError, match="depth"):
        create_model("lightmuseg-v2", classes=2, depth=3)
