from support import catalogue_of

from cascade.corpora.corpus import CorpusRequest
from local.texts import wesnoth


def test_wesnoth_takes_the_translator_s_hint_away(tmp_path, unpacked):
    path = unpacked / wesnoth.FOLDER / "a.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_of({"female^Elf": "Эльфийка"}))
    assert list(wesnoth.messages(CorpusRequest(tmp_path, tmp_path))) == [("Elf", "Эльфийка")]


def test_wesnoth_s_sentences_once_and_not_in_english(tmp_path, unpacked):
    path = unpacked / wesnoth.LOCALES / "cs/LC_MESSAGES/a.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_of({"a^Elf": "Elf", "b": "Vlk. Elfka!", "c": "Elfka!"}))
    assert list(wesnoth.sentences(CorpusRequest(tmp_path, tmp_path), "cs")) == ["Vlk.", "Elfka!"]
