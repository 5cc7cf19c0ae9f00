import pytest

from cascade.corpora.corpus import Excluded
from cascade.runtime.errors import UserError


@pytest.mark.parametrize(
    ("name", "codec", "suffix"),
    [("mls_polish", "flac", ".flac"), ("mls_polish_opus", "libopus", ".opus")],
)
def test_mls(tmp_path, encode, name, codec, suffix, listing, put, tone, heard):
    root = tmp_path / "data"
    handles = ["6892_10049_000000", "6892_10049_000001"]
    for part in ("train", "dev", "test"):
        for handle in handles:
            path = root / name / part / "audio/6892/10049" / f"{handle}{suffix}"
            encode(path, tone(16000), 16000, codec)
        lines = [f"{handle}\tżeby nie było {handle[-1]}\n" for handle in handles]
        put(root / name / part / "transcripts.txt", "".join(lines))
        put(root / name / part / "segments.txt", "")
    put(root / name / "metainfo.txt", " SPEAKER | GENDER | PARTITION | MINUTES | BOOK ID\n")
    limited = root / name / "train/limited_supervision"
    put(limited / "9hr/handles.txt", f"{handles[0]}\n{handles[1]}\n")
    put(limited / "1hr/0/handles.txt", f"{handles[1]}\n")
    utterances = listing("mls", root, "train", "pl")
    assert [u.id for u in utterances] == handles
    assert (utterances[1].speaker, utterances[1].text) == ("6892", "żeby nie było 1")
    heard(utterances[0])
    assert listing("mls", root / name, "train", "pol") == utterances
    assert listing("mls", root, "9hr", "pl") == utterances
    assert listing("mls", root, "1hr", "pl") == utterances[1:]
    put(limited / "1hr/0/handles.txt", f"{handles[1]}\n9_9_9\n")
    *_, lost = listing("mls", root, "1hr", "pl")
    assert lost == Excluded("9_9_9", "it is in handles.txt, but not in train/transcripts.txt")
    assert listing("mls", root, "dev", "pl")[0].audio.parts[-5] == "dev"
    with pytest.raises(UserError, match=rf"a folder mls_ru with it; its languages: {name}\."):
        listing("mls", root, "train", "ru")
