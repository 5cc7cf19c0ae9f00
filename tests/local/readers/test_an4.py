import pytest
import soundfile


@pytest.fixture
def an4(tmp_path, put, tone):
    """The folder ``an4`` with audio of a suffix; raw audio in the byte order of ``order``."""

    def an4(suffix=".sph", order="<i2"):
        root = tmp_path / "an4"
        parts = {
            "train": ("an4_clstk/fash", "fash", "<s> {} </s> ({})"),
            "test": ("an4test_clstk/fcaw", "fcaw", "{} ({})"),
        }
        for part, (folder, speaker, line) in parts.items():
            names = [f"an{n}-{speaker}-b" for n in (251, 253)]
            put(root / f"etc/an4_{part}.fileids", "".join(f"{folder}/{n}\n" for n in names))
            lines = [line.format("RUBOUT G M <sil> E F THREE NINE", name) + "\n" for name in names]
            put(root / f"etc/an4_{part}.transcription", "".join(lines))
            for name in names:
                path = put(root / "wav" / folder / f"{name}{suffix}", b"")
                if suffix == ".sph":
                    soundfile.write(path, tone(16000), 16000, format="NIST", subtype="PCM_16")
                else:
                    path.write_bytes((tone(16000) * 32767).astype(order).tobytes())
        return root

    return an4


@pytest.mark.parametrize(("suffix", "order"), [(".sph", ""), (".raw", "<i2"), (".raw", ">i2")])
def test_an4(tmp_path, an4, suffix, order, listing, heard):
    root = an4(suffix, order)
    utterances = listing("an4", root, "train")
    assert [u.id for u in utterances] == ["an251-fash-b", "an253-fash-b"]
    assert (utterances[0].speaker, utterances[0].text) == ("fash", "RUBOUT G M   E F THREE NINE")
    heard(utterances[0])
    (test, _) = listing("an4", tmp_path, "test")
    assert (test.speaker, test.text) == ("fcaw", "RUBOUT G M   E F THREE NINE")
    heard(test)
    assert len(listing("an4", root)) == 4
