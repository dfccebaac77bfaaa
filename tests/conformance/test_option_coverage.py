"""Every option of every command stands in a test: the options are those of the man pages, which are made of the command's tables."""

import re

import pytest

from command import REPOSITORY

PAGES = sorted((REPOSITORY / "docs" / "man").glob("kproducer-*.1"))
# These name options without running a command with them, --help aside, which test_help.py runs with all.
NO_TESTS = ("test_completion.py", "test_help.py", "test_option_coverage.py")
TESTS = [path.read_text() for path in (REPOSITORY / "tests").glob("**/*") if path.suffix in (".py", ".c", ".sh") and path.name not in NO_TESTS]


def options(page):
    """(letter or None, name, whether the command shares it with others) of each option that a page describes."""
    text = page.read_text().replace("\\-", "-")
    own, _, common = text.partition(".SS Common options") if ".SS Common" in text else ("", "", text)
    pattern = re.compile(r"^\.TP\n(?:\\fB-(\w)\\fR, )?\\fB--([a-z-]+)\\fR", re.M)
    return [(*found, False) for found in pattern.findall(own)] + [(*found, True) for found in pattern.findall(common)]


def is_named(letter, name, text):
    return f'"--{name}"' in text or f'"--{name}=' in text or (letter and re.search(rf'"-{letter}"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_is_tested(page):
    command = page.stem.removeprefix("kproducer-")
    # DevBroker(...) and own_devbroker(...) run `kproducer broker`; produce(...) and perf(...) the commands of these names.
    runs = re.compile(rf'"{command}"|\b{command}\(|dev{command}\(', re.I)
    assert options(page)
    untested = [name for letter, name, is_common in options(page)
                if name != "help" and not any(is_named(letter, name, text) for text in TESTS if is_common or runs.search(text))]
    assert not untested, f"no test runs kproducer {command} with these"
