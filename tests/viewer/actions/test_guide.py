import pytest

from viewer.actions import ACTIONS, action_named, perform
from viewer.tools import TOOLS

KEYS = {each.title.rstrip("…"): each.shortcut for each in ACTIONS.values() if each.shortcut}
KEYS |= {each.title: each.key for each in TOOLS if each.key}


@pytest.fixture
def page(bench):
    perform(action_named("help.keys"), bench.session)
    return bench.session.tell.said[-1][1]


@pytest.mark.parametrize("title", KEYS)
def test_the_page_of_keys_names_every_key_of_a_menu_or_a_tool_once(page, title):
    assert page.count(f"| {KEYS[title]} | {title} |") == 1


def test_the_page_of_keys_needs_no_slide(bench):
    bench.session.close()

    assert action_named("help.keys").enabled(bench.session)
