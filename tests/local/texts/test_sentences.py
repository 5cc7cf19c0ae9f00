import pytest

from local.texts import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Один.  Два!\nТри? — Четыре…", ["Один.", "Два!", "Три?", "— Четыре…"]),
        ("Он <i>не</i> пришёл.", ["Он не пришёл."]),
        ("Да, $name. Нет.", ["Нет."]),
        ("Вот т. е. это А. Блок и проч. тут.", ["Вот т. е. это А. Блок и проч. тут."]),
        ("«Да.» И ушёл", ["«Да.", "И ушёл"]),
        ("... 15%", []),
    ],
)
def test_sentences(text, expected):
    assert list(sentences.split(text)) == expected


def test_every_sentence_once():
    texts = ["Да. Нет.", "Нет! Да.", "Нет."]
    assert list(sentences.unique(texts)) == ["Да.", "Нет.", "Нет!"]
