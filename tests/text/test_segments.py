import pytest

from cascade.config.sections import Language
from cascade.text.segments import how, segments
from cascade.text.words import WordNormalizer, words_of


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("cmn", "我喜欢学习语音识别技术", "我 喜欢 学习 语音 识别 技术"),
        ("ja", "私は音声認識が好きです", "私 は 音声 認識 が 好き です"),
        ("th", "ผมชอบเรียนภาษาไทย", "ผม ชอบ เรียน ภาษา ไทย"),
        ("lo", "ຂ້ອຍມັກຮຽນພາສາລາວ", "ຂ້ອຍ ມັກ ຮຽນ ພາສາ ລາວ"),
        ("km", "ខ្ញុំចូលចិត្តរៀន", "ខ្ញុំ ចូលចិត្ត រៀន"),
        ("my", "ကျွန်တော်မြန်မာစာ", "ကျွန်တော် မြန်မာ စာ"),
        ("bo", "བོད་སྐད་སློབ", "བོད སྐད སློབ"),
        ("hak", "佢鍾意學", "佢 鍾 意 學"),
        ("shn", "မႂ်ႇသုင်", "မႂ်ႇ သု င်"),
    ],
)
def test_words_of_languages_without_spaces(code, text, words):
    letters = "".join(sorted(set(text) - {"་"}))
    assert words_of(f"{text}。", Language(letters, code)) == words.split()
    assert how(code).startswith("the language writes no spaces")


def test_other_languages_are_not_cut():
    assert segments("слово", "ru") == ["слово"]
    assert how("ru") is None and how("en") is None


def test_words_that_were_cut_are_scored_as_they_are():
    chinese = Language("我喜欢学习", "cmn")
    assert WordNormalizer(chinese)(["我", "喜欢", "学习"]) == [["我"], ["喜欢"], ["学习"]]
