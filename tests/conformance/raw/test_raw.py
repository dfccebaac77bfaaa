"""The raw differential: each script is sent to the development broker and to Apache Kafka, and the answers are equal field by field."""

import importlib
import pathlib

import pytest

from exceptions import DIFFERENCES, page
from script import SCRIPTS

from command import REPOSITORY

for path in sorted(pathlib.Path(__file__).parent.glob("cases_*.py")):
    importlib.import_module(path.stem)


assert len(SCRIPTS) > 1000, f"the files of cases hold {len(SCRIPTS)} scripts"

DIFFER_BY_VERSION = ("api_versions", "txn_init", "txn_timed_out", "txn_zombie", "txn_end_of", "txn_end_again")


def check(laboratory, name):
    found = laboratory.run(SCRIPTS[name])
    if found:
        pytest.fail(f"{name}: {len(found)} differences\n" + "\n".join(found), pytrace=False)


@pytest.mark.parametrize("name", SCRIPTS)
def test_answers_are_equal(laboratory, name):
    check(laboratory, name)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.startswith(DIFFER_BY_VERSION)])
def test_answers_are_equal_at_transaction_version_1(laboratory_at_version_1, name):
    """The scripts in which the finalized transaction.version shows."""
    check(laboratory_at_version_1, name)


def test_every_known_difference_is_met(laboratory):
    """Of those whose scripts have all run."""
    unmet = [d for d in DIFFERENCES if d.scripts_of(SCRIPTS) <= laboratory.seen and d not in laboratory.used]
    assert not unmet, "\n".join(f"no difference any more, take it out of exceptions.py: {d}" for d in unmet)


def test_page_of_differences_is_up_to_date():
    text = (REPOSITORY / "docs" / "devbroker-differences.md").read_text()
    assert text == page(), "make it anew: python tests/conformance/raw/exceptions.py > docs/devbroker-differences.md"
