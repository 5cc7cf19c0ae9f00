from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from local.corpora import festvox_ru


def made(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_festvox_parts(tmp_path, unpacked):
    lines = "".join(f'( ru_{n:04d} "Он сказ+ал, {n}." )\n' for n in range(1, 31))
    made(unpacked / festvox_ru.VOICE / "etc/txt.done.data", lines)
    ids = {}
    for part in (*festvox_ru.PARTS, None):
        request = CorpusRequest(tmp_path, tmp_path, part=part)
        utterances = list(corpus.listing("festvox_ru", request))
        ids[part] = [u.id for u in utterances]
        assert all("+" not in u.text and u.text.startswith("Он сказал") for u in utterances)
    assert ids["valid"] == ["ru_0009", "ru_0019", "ru_0029"]
    assert ids["test"] == ["ru_0010", "ru_0020", "ru_0030"]
    assert sorted(ids["train"] + ids["valid"] + ids["test"]) == ids[None]
    assert utterances[0].audio.name == "ru_0001.wav"


def test_festvox_line_of_another_form(tmp_path):
    path = made(tmp_path / "txt.done.data", '( a "b" )\nnonsense\n')
    with pytest.raises(
        UserError, match=r"txt\.done\.data, line 2 is not '\( id \"text\" \)'\. Delete"
    ):
        list(festvox_ru.parse(path))


def test_festvox_at_another_rate(tmp_path, unpacked):
    made(unpacked / festvox_ru.VOICE / "etc/txt.done.data", '( a "Он сказал." )\n')
    (unpacked / festvox_ru.VOICE / "wav").mkdir()
    soundfile.write(unpacked / festvox_ru.VOICE / "wav/a.wav", np.zeros(8000), 16000)
    request = CorpusRequest(tmp_path, tmp_path / "data", rate=8000)
    (utterance,) = corpus.listing("festvox_ru", request)
    assert utterance.audio == tmp_path / "data/festvox_ru_8000/a.wav"
    assert (soundfile.info(utterance.audio).samplerate, soundfile.info(utterance.audio).frames) == (
        8000,
        4000,
    )
