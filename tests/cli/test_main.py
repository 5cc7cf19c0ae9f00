"""Names on the command line in either normal form of Unicode, as a Mac has them; closed pipes."""

import os
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from cascade.cli import main as commands
from cascade.cli import models, transcribe
from cascade.cli.options import parser
from cascade.runtime import workers

FORMS = [("NFC", "NFD"), ("NFD", "NFC")]


@pytest.fixture(params=FORMS, ids="-there-".join)
def named(request, tmp_path):
    """Makes a file or folder; returns its path, and the one in the other form."""
    there, asked = request.param

    def named(name: str, text: str | None = None) -> tuple[Path, Path]:
        path = tmp_path / unicodedata.normalize(there, name)
        path.mkdir() if text is None else path.write_text(text, encoding="utf-8")
        return path, tmp_path / unicodedata.normalize(asked, name)

    return named


def test_recordings_and_the_bundle_of_transcribe(named, monkeypatch):
    audio, asked = named("й.wav", "")
    bundle, asked_bundle = named("ё.zip", "")
    seen = []
    monkeypatch.setattr(models, "_packed", lambda options, *_: options.bundle)
    monkeypatch.setattr(transcribe, "transcribe", lambda *given: seen.append(given) or [None])
    monkeypatch.setattr(transcribe.formats, "words", lambda name, _: name)
    options = ["transcribe", "--bundle", str(asked_bundle), str(asked)]
    transcribe.print_transcripts(parser(None).parse_args(options), lambda: None, {})
    assert seen == [(bundle, [audio], None, False)]


def test_a_folder_of_speech_with_its_text(named):
    speech, asked = named("città è")
    options = parser(None).parse_args(["score", str(asked)])
    assert models.folder_of(options, "_scored") == (str(speech), Path(f"{speech}_scored"))
    options = parser(None).parse_args(["align", "festvox_ru", "--out", "x"])
    assert models.folder_of(options, "_aligned") == ("festvox_ru", Path("x").absolute())


def test_a_recipe_and_a_folder_of_speech(named):
    recipe, asked = named("ё.yaml", "")
    assert commands._recipe_file(str(asked)) == recipe
    speech, asked = named("речь й")
    assert commands._speech(f"ru:{asked}") == ("ru", str(speech))
    assert commands._from_root(asked) == speech  # of report, and of --exp


def test_a_second_target_is_refused(tmp_path, capsys):
    target = ["--target", f"ru:{tmp_path}"]
    assert commands.main(["new-recipe", str(tmp_path / "x.yaml"), *target, *target]) == 1
    assert "--target may be there once only" in capsys.readouterr().err


def test_a_killed_worker_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    def killed(options, keys):
        with workers.pool(1) as pool:
            pool.submit(_end).result()

    monkeypatch.setattr(commands, "_run", killed)
    assert commands.main(["run"]) == 1
    assert "a worker process was killed, perhaps for lack of memory" in capsys.readouterr().err


def _end():
    os.kill(os.getpid(), signal.SIGKILL)


def test_output_that_nobody_reads_ends_the_command_without_a_word(tmp_path):
    log = tmp_path / "speechbox.log"
    log.write_text("ERRORS\t3\nTERRORS\t9\n", encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does when it has enough
    command = [sys.executable, "-m", "cascade", "table", str(log)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
