import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascade.corpora import corpus
from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.corpora import fillets, fillets_nl


def made(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def recorded(path: Path, samples: np.ndarray, rate: int) -> Path:
    """A recording of (N, C) ``samples``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


REASONS = [
    ("Dit is een mooie kombuis.", 3.0, None),
    ("Dit is een mooie kombuis.", None, "no sound"),
    ("Dit is een mooie kombuis.", 0.0, "without samples"),
    ("Dit is een mooie kombuis.", 5.0, "fewer than 5 letters a second"),
    ("Dit is een mooie kombuis.", 1.0, "more than 18 letters a second"),
    ("Dit is 1 mooie kombuis.", 3.0, "digits"),
    ("Goh! Mooi...", 1.0, "fewer than 3 words"),
    ("Dit is een мooie kombuis.", 3.0, "another language"),  # м is Cyrillic
    ("", 1.0, "a noise"),
    (None, 1.0, "no text"),
]


@pytest.mark.parametrize(("text", "seconds", "why"), REASONS)
def test_reasons(text, seconds, why):
    line = None if text is None else fillets.Line("big", text)
    reason = fillets.reason(line, seconds, fillets_nl.DIALOGUES.letters)
    assert reason is None if why is None else why in reason


def script(game: Path, level: str, text: str, name: str = "dialogs_nl.lua") -> Path:
    return made(game / "script" / level / name, text)


def test_script(tmp_path):
    script(
        tmp_path,
        "wc",
        """dialogId("a-m", "font_small", "It is \\"so\\".")
        dialogStr("Zo \\"is\\" het \\\\.")
        -- dialogId("no", "font_big", "No")
        dialogId("noise", "", "")
        dialogId("b-v", "font_big",
                 "Long")
        dialogStr(
            "Lang")""",
    )
    script(
        tmp_path,
        "wc",
        'dialogId("c", "font_white", "Who?")\ndialogStr("Wie?")',
        "demo_dialogs_nl.lua",
    )
    assert dict(fillets.parse(tmp_path, "wc", "nl")) == {
        ("wc", "a-m"): fillets.Line("small", 'Zo "is" het \\.'),
        ("wc", "noise"): fillets.Line("unknown", ""),
        ("wc", "b-v"): fillets.Line("big", "Lang"),
        ("wc", "c"): fillets.Line("white", "Wie?"),
    }
    script(tmp_path, "wc", 'dialogId("c", "font_big", "Hm")', "x_dialogs_nl.lua")
    with pytest.raises(UserError, match="the line 'c' appears twice"):
        list(fillets.parse(tmp_path, "wc", "nl"))


def test_corpus(tmp_path, unpacked):
    game = unpacked / fillets.GAME
    texts = {"a": "Dit is een mooie kombuis.", "b": "Ja, dat is zo een mooie."}
    for number in range(10):
        lines = "".join(
            f'dialogId("{k}", "font_{k}ig", "x")\ndialogStr("{t}")\n' for k, t in texts.items()
        )
        script(game, f"level{number}", lines)
    sound = 0.5 * np.sin(np.arange(55125) / 12)
    for key, size in (
        ("level0/nl/a", 1),
        ("level8/sub/nl/a", 0.9),
        ("level9/nl/b", 0.8),
        ("level9/nl/c", 0.7),
    ):
        recorded(game / f"sound/{key}.ogg", sound * size, 22050)
    shutil.copy(game / "sound/level0/nl/a.ogg", game / "sound/level9/nl/a.ogg")
    by_part = {}
    for part in (None, *fillets.PARTS):
        by_part[part] = list(
            corpus.listing("fillets_nl", CorpusRequest(tmp_path, tmp_path / "data", part=part))
        )
    by_id = {item.id: item for item in by_part[None]}
    assert [i for p in fillets.PARTS for i in by_part[p]] == list(by_id.values())
    wavs = tmp_path / "data/fillets_nl/wav_16000"
    assert [item for item in by_id.values() if isinstance(item, Utterance)] == [
        Utterance("fillets_nl-level0-a", wavs / "level0-a.wav", texts["a"], "fillets_nl-aig"),
        Utterance("fillets_nl-level8-a", wavs / "level8-a.wav", texts["a"], "fillets_nl-aig"),
        Utterance("fillets_nl-level9-b", wavs / "level9-b.wav", texts["b"], "fillets_nl-big"),
    ]
    assert by_id["fillets_nl-level9-a"] == Excluded(
        "fillets_nl-level9-a", "another line has the same recording", 2.5, True
    )
    assert by_id["fillets_nl-level9-c"].reason == "no text for this sound"
    assert by_id["fillets_nl-level3-b"] == Excluded(
        "fillets_nl-level3-b", "no sound for this text", None, True
    )
    assert [i.id for i in by_part["valid"]] == ["fillets_nl-level8-a", "fillets_nl-level8-b"]
    info = soundfile.info(wavs / "level8-a.wav")
    assert (info.samplerate, info.channels, info.frames) == (16000, 1, 40000)
    request = CorpusRequest(tmp_path, tmp_path)
    unspoken = list(fillets.unspoken(request, fillets_nl.DIALOGUES))
    assert unspoken == [texts["b"], *[texts["a"], texts["b"]] * 7]  # of levels 0 to 7 only


def test_sounds_of_one_name_or_none(tmp_path):
    with pytest.raises(UserError, match="no sounds of 'nl'"):
        fillets.recordings(tmp_path, "nl")
    for folder in ("a/nl", "a/b/nl"):
        made(tmp_path / folder / "x.ogg", "")
    with pytest.raises(UserError, match="has the same name as"):
        fillets.recordings(tmp_path, "nl")
