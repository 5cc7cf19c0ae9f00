import pytest

from cascade.corpora.corpus import Excluded
from cascade.runtime.errors import UserError

CLIENT = "05e9d52b02fc87f02758c2e8e1b97d05c23ec0ac7c5b76d964cb1a547ce72f7eefc021cfe23a67b3403"


RELEASES = {
    "1": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent",
    "6.1": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment",
    "13.0": "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\t"
    "locale\tsegment",
    "17.0": "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\t"
    "gender\taccents\tvariant\tlocale\tsegment",
}


@pytest.fixture
def commonvoice(tmp_path, encode, put, tone):
    """Makes a language of a release; gives the release's folder."""

    def commonvoice(release, parts=("train", "dev", "test", "validated", "other")):
        root = tmp_path / f"cv-corpus-{release}"
        columns = RELEASES[release].split("\t")
        for i, part in enumerate(parts):
            rows = [RELEASES[release]]
            for j, sentence in enumerate(('Он сказал: "Нет', "Ёж — зверь.")):
                name = f"common_voice_ru_1884{i}{j}.mp3"
                encode(
                    root / "ru/clips" / name,
                    tone(32000 if j else 48000),
                    32000 if j else 48000,
                    "libmp3lame",
                )
                values = {"client_id": f"{CLIENT}{j}", "sentence": sentence, "locale": "ru"}
                values |= {"path": name.removesuffix(".mp3") if release == "1" else name}
                values |= {"up_votes": "2", "down_votes": "0"}
                rows.append("\t".join(values.get(column, "") for column in columns))
            put(root / "ru" / f"{part}.tsv", "\n".join(rows) + "\n")
        put(root / "ru/reported.tsv", "sentence_id\tsentence\tlocale\treason\n")
        return root

    return commonvoice


@pytest.mark.parametrize("release", RELEASES)
def test_commonvoice(commonvoice, release, listing, heard):
    root = commonvoice(release, ("train", "validated"))
    first, second = listing("commonvoice", root / "ru", "train")
    assert (first.id, first.text) == ("common_voice_ru_188400", 'Он сказал: "Нет')
    assert (second.speaker, second.text) == (f"{CLIENT}1", "Ёж — зверь.")
    heard(first)
    heard(second)
    assert listing("commonvoice", root, "train") == [first, second]  # finds ru
    assert listing("commonvoice", root)[0].id == "common_voice_ru_188410"  # validated
    assert listing("commonvoice", root / "ru" / "train.tsv") == [first, second]
    with pytest.raises(UserError, match="is one table"):
        listing("commonvoice", root / "ru" / "train.tsv", "test")
    first.audio.rename(first.audio.with_suffix(".wav"))  # as if it had been converted
    converted, other = listing("commonvoice", root / "ru", "train")
    assert (converted.audio.suffix, other.audio.suffix) == (".wav", ".mp3")


def test_commonvoice_with_windows_line_ends_and_a_byte_order_mark(commonvoice, listing):
    table = commonvoice("17.0", ("train",)) / "ru" / "train.tsv"
    before = listing("commonvoice", table.parent, "train")
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert listing("commonvoice", table.parent, "train") == before


def test_a_broken_row_of_commonvoice_is_left_out_alone(commonvoice, listing):
    table = commonvoice("17.0", ("train",)) / "ru" / "train.tsv"
    table.write_text(table.read_text() + "a\tb\tc\n")
    *_, broken = listing("commonvoice", table.parent, "train")
    assert broken == Excluded("train-line-4", "train.tsv, line 4: 3 fields for 13 columns")
