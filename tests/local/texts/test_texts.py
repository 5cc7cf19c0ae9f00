"""The texts of each language: what they take from their sources, and what they leave out."""

import gzip
from pathlib import Path

import pytest
from support import catalogue_of

from cascade.corpora.corpus import CorpusRequest
from local.corpora import fillets
from local.texts import (
    fortunes_ru,
    texts_cs,
    texts_en,
    texts_es,
    texts_it,
    texts_nl,
    texts_ru,
    texts_ru_programs,
    wesnoth,
    wordnet,
)


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def request_(tmp_path, unpacked) -> CorpusRequest:
    """Wesnoth with one catalogue, in English and four translations."""
    english = ["We are here. Go!", "This is a long prompt now.", "Gryphon"]
    translations = {
        "ru": ["Мы здесь. Иди!", "Иди!", "Gryphon"],
        "cs": ["Jsme tady. Jdi!", "Jdi!", "Gryphon"],
        "es": ["Estamos aquí. Ve!", "Ve!", "Gryphon"],
        "it": ["Siamo qui. Vai!", "Vai!", "Gryphon"],
    }
    for locale, texts in translations.items():
        path = unpacked / wesnoth.LOCALES / locale / "LC_MESSAGES/a.mo"
        put(path, catalogue_of(dict(zip(english, texts, strict=True))))
    return CorpusRequest(tmp_path, tmp_path / "data")


def test_english_without_the_prompts_that_synth_en_reads(request_, unpacked):
    for kind in ("noun", "verb", "adj", "adv"):
        put(unpacked / wordnet.FOLDER / f"data.{kind}", "")
    put(unpacked / wordnet.FOLDER / "data.verb", '1 | a; "this is a long prompt now"; "go far"\n')
    assert list(texts_en.sentences(request_)) == ["We are here.", "Go!", "Gryphon", "go far"]


def test_russian_is_in_cyrillic(request_, unpacked):
    put(unpacked / fortunes_ru.FOLDER / "art", "Иди!\nOK.\n%\nИди. Стой.\n")
    assert list(texts_ru.sentences(request_)) == ["Мы здесь.", "Иди!", "Иди.", "Стой."]


def test_messages_of_programs_without_names_of_buttons(request_, unpacked):
    messages = {
        "&Open the file. Now": "&Открыть этот файл. Сейчас",  # the second one is short
        "Copy the ~selected text": "Копировать ~выделенный текст",
        "Sort b_y the date": "Сортировать п_о дате",
        "Open the file again.": "Открыть этот файл.",
        "About this LibreOffice": "О нашем LibreOffice",
        "Delete 2 old files": "Удалить 2 старых файла",
    }
    first, *_, last = texts_ru_programs.FOLDERS
    put(unpacked / last / "b.mo", catalogue_of(messages))
    put(unpacked / first / "a.mo", catalogue_of({"a": "Открыть этот файл.", "b": "Файл не найден"}))
    assert list(texts_ru_programs.sentences(request_)) == [
        *("Открыть этот файл.", "Файл не найден", "Копировать выделенный текст"),
        "Сортировать по дате",
    ]


def test_czech_spanish_and_italian(request_):
    assert list(texts_cs.sentences(request_)) == ["Jsme tady.", "Jdi!"]
    assert list(texts_es.sentences(request_)) == ["Estamos aquí.", "Ve!"]
    assert list(texts_it.sentences(request_)) == ["Siamo qui.", "Vai!"]


def test_dutch(request_, unpacked):
    game = unpacked / fillets.GAME
    put(game / "sound/a/nl/spoken.ogg", "")
    lines = {"spoken": "Dit hoort men.", "silent": "Dit leest men. Hallo."}
    put(
        game / "script/a/dialogs_nl.lua",
        "".join(f'dialogId("{k}", "", "")\ndialogStr("{t}")\n' for k, t in lines.items()),
    )
    put(
        unpacked / texts_nl.FILE,
        gzip.compress(b"1. Eerst\n\n    Hallo.\n    Twee\n    regels.\n\n"),
    )
    sentences = ["Dit leest men.", "Hallo.", "1.", "Eerst", "Twee regels."]
    assert list(texts_nl.sentences(request_)) == [text for text in sentences if text != "1."]


def test_paragraphs_of_a_manual(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"1. Eerst\n\n    Twee\n    regels.\n\n\n"))
    assert [text for text in texts_nl.paragraphs(path) if text] == ["1. Eerst", "Twee regels."]
