from pathlib import Path

import pytest

from cascade.runtime.errors import UserError
from local.helpers import debian_voices


def program(folder: Path, name: str, script: str) -> None:
    path = folder / "usr/bin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_voice_that_fails(tmp_path):
    voice = debian_voices.VOICES[-1]
    (tmp_path / "usr/bin").mkdir(parents=True)
    for script in ("echo one >&2; echo 'no voice' >&2; exit 1", "echo 'no voice' >&2"):
        program(tmp_path, "espeak-ng", script)
        with pytest.raises(UserError, match=r"espeak_Annie, failed at 'hello': no voice\."):
            debian_voices.speak(tmp_path, voice, "hello", tmp_path / "a.wav")
    (tmp_path / "usr/bin/espeak-ng").unlink()
    with pytest.raises(UserError, match="No such file"):
        debian_voices.speak(tmp_path, voice, "hello", tmp_path / "a.wav")


def test_text_goes_through_stdin(tmp_path):
    for voice in (debian_voices.VOICES[0], debian_voices.VOICES[-1]):
        program(tmp_path, voice.program, 'for last; do :; done; cat /dev/stdin > "$last"')
        wav = tmp_path / f"{voice.name}.wav"
        debian_voices.speak(tmp_path, voice, "-w; $(touch x)", wav)
        assert wav.read_text() == "-w; $(touch x)"
