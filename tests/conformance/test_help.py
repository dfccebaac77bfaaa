"""Help and man pages: made of the same tables, readable in 80 columns; what is misspelt is answered with the nearest name."""

import re

import pytest

from command import REPOSITORY, kproducer, run

PAGES = sorted((REPOSITORY / "docs" / "man").glob("*.1"))


def commands():
    text = kproducer("--help").out.decode()
    return re.findall(r"^  ([a-z]+) +[A-Z]", text.partition("Commands:\n")[2].partition("\nOptions:")[0], re.M)


def help_of(command):
    result = kproducer(command, "--help")
    assert result.code == 0 and not result.err
    return result.out.decode()


def test_all_commands_are_listed():
    assert {"produce", "perf", "topics", "config", "errors", "broker", "help"} <= set(commands())
    assert kproducer("help").out == kproducer("-h").out == kproducer("--help").out
    no_command = kproducer()
    assert no_command.code == 2 and no_command.err.encode() == kproducer("--help").out
    assert kproducer("--version").out == kproducer("-V").out != b""


def test_the_help_of_each_command_is_the_same_by_all_ways():
    for command in set(commands()) - {"help"}:
        assert kproducer("help", command).out == kproducer(command, "-h").out == help_of(command).encode()


def test_each_help_has_usage_options_and_examples_in_80_columns():
    for command in set(commands()) - {"help"}:
        text = help_of(command)
        assert text.startswith(f"Usage: kproducer {command} ") and "\n\nExamples:\n  " in text
        assert "\n  -h, --help " in text
        for line in text.splitlines() + kproducer("--help").out.decode().splitlines():
            assert len(line) <= 80, line


@pytest.mark.parametrize("args, meant", [
    (["pref"], "perf"), (["topic"], "topics"), (["--hepl"], "--help"), (["help", "prodcue"], "produce"), (["perf", "--recrods", "5"], "--records"),
    (["produce", "--compresion=zstd"], "--compression"), (["topics", "crate", "t"], "create"), (["config", "chek", "f"], "check"),
    (["broker", "--nodes", "1", "--prtitions", "3"], "--partitions"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else value)
def test_the_nearest_name_is_suggested(args, meant):
    result = kproducer(*args)
    assert result.code == 2 and not result.out and len(result.lines) == 1
    assert f", did you mean {meant}?" in result.err and "--help)" in result.err


def test_nothing_is_suggested_where_nothing_is_near():
    for args in (["banana"], ["perf", "--banana"], ["topics", "banana"]):
        result = kproducer(*args)
        assert result.code == 2 and "did you mean" not in result.err


def test_the_option_at_fault_is_named():
    for args, said in ((["--json", "-yq"], "-y is not"), (["--json", "-q", "-n"], "-n needs"), (["-q", "--records"], "--records needs"),
                       (["--quiet=3"], "--quiet=3 takes no"), (["-q", "--dur"], "--dur needs")):
        assert f"perf: {said}" in kproducer("perf", *args).err


def test_an_option_cut_short_must_be_short_for_one():
    assert "short for more than one option" in kproducer("perf", "--p", "3").err
    assert kproducer("config", "list", "--js").json


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_man_pages_format_without_warnings_in_80_columns(page):
    done = run(["groff", "-man", "-ww", "-Tascii", "-P-cbou", "-rLL=80n", page])
    assert done.code == 0 and done.err == ""
    text = done.out.decode()
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
        assert f"\n{section}\n" in text
    for line in text.splitlines():
        assert len(line) <= 80, line


def test_every_option_of_the_help_stands_in_the_man_page():
    for command in set(commands()) - {"help"}:
        page = (REPOSITORY / "docs" / "man" / f"kproducer-{command}.1").read_text().replace("\\-", "-")
        for option in re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", help_of(command), re.M):
            assert f"\\fB{option}\\fR" in page
