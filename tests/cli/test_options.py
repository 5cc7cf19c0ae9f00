import argparse
import re

import pytest

from cascade.cli.options import parser, run_help
from cascade.pipeline.stages import STAGES


def run_parser() -> argparse.ArgumentParser:
    subparsers = parser(None)._actions[-1]
    return subparsers.choices["run"]


def test_the_help_of_run_has_every_option_and_its_default():
    text = run_help()
    for action in run_parser()._actions:
        if action.dest == "help":
            continue
        start = f"  {action.option_strings[-1]} "
        lines = [line for line in text.splitlines() if line.startswith(start)]
        assert len(lines) == 1, action.dest
        if action.dest in ("recipe", "stage", "stop_stage"):
            assert lines[0].endswith(f"({action.default})")
    known = {option for action in run_parser()._actions for option in action.option_strings}
    shown = set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE))
    assert shown - known == {"--systems"}  # a key of the recipe, as --KEY is


def test_the_help_of_run_has_every_stage():
    stages = " ".join(run_help().partition("Stages: ")[2].split())
    assert stages == ", ".join(f"{number} {entry.title}" for number, entry in STAGES.items())


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_run_prints_its_help(option, capsys):
    with pytest.raises(SystemExit) as exit_:
        parser(None).parse_args(["run", option])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == run_help()


def test_stages_outside_the_table_are_refused(capsys):
    for option in ("--stage", "--stop-stage"):
        with pytest.raises(SystemExit):
            parser(None).parse_args(["run", option, str(max(STAGES) + 1)])
        assert f"argument {option}: invalid choice" in capsys.readouterr().err
