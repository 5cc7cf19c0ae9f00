import pytest

from cascade.config.sections import Language
from cascade.runtime.errors import UserError
from cascade.text.words import WordNormalizer, foreign, no_word, words_of

RU = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru", fold={"ё": "е"})
EN = Language("abcdefghijklmnopqrstuvwxyz'", "en-us")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Привет, мир!", "привет мир"),
        ("кто-нибудь — где-то", "кто нибудь где то"),
        ("за\u0301мок и замо\u0301к", "замок и замок"),  # stress marks
        ("ё\u0301лка", "ёлка"),
        ("е\u0308лка, и\u0306од", "ёлка йод"),  # decomposed letters
        ("ѝ", "и"),  # и with a grave, as one character
        ("snake_case«да»", "snake case да"),
        ("об'явить", "об явить"),
        ("дом 5б", "дом 5б"),
        ("один\u00a0два\tтри\nчетыре", "один два три четыре"),
        ("", ""),
        (" ...—!? ", ""),
        ("сло\u00adво \ufeffда\u200bнет", "слово данет"),  # what nobody sees
        ("Да <COMMA> нет <PERIOD>", "да нет"),
        ("\u0301", ""),
    ],
)
def test_russian(text, words):
    assert words_of(text, RU) == words.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t stop, it's JOHN'S", "don't stop it's john's"),
        ("'quoted' ''twice''", "quoted twice"),
        ("rock 'n' roll", "rock n roll"),
        ("dogs' tails", "dogs tails"),
        ("' '' '", ""),
        ("mother-in-law", "mother in law"),
        ("café naïve", "cafe naïve"),  # an acute is stress to a language without é
    ],
)
def test_english(text, words):
    assert words_of(text, EN) == words.split()


def test_an_accent_that_is_a_letter_stays():
    french = Language("abcdefghijklmnopqrstuvwxyzéèà", "fr-fr")
    assert words_of("Cafe\u0301 ÉTÉ à", french) == ["café", "été", "à"]


def test_marks_belong_to_their_letters():
    hindi = "नमसतदय" + "\u094d\u0947\u0941\u093f\u093e"  # vowel signs are letters there
    words = words_of("नमस्ते, दुनिया!", Language(hindi, "hi"))
    assert words == ["नमस्ते", "दुनिया"]
    assert foreign(words, hindi) is None
    odd = words_of("x\u0327y z", EN)
    assert odd == ["x\u0327y", "z"] and "combining cedilla" in foreign(odd, EN.letters)


def test_the_rule_changes_nothing_the_second_time():
    for text, letters in (("За\u0301мок-2, ё'й’", RU), ("O’Neill's  'tis", EN)):
        once = words_of(text, letters)
        assert once and words_of(" ".join(once), letters) == once


def test_a_joiner_that_is_a_letter_stays_in_its_word():
    joined, letters = "می\u200cخواهم", "میخواه"
    assert words_of(joined, Language(letters, "fa")) == ["میخواهم"]
    assert words_of(joined, Language(letters + "\u200c", "fa")) == [joined]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("да <unk> нет", "<unk>"),
        ("да[шум улицы]", "[шум улицы]"),
        ("{вдох} да", "{вдох}"),
        ("++um++ yes", "++um++"),
        ("yes %hesitation", "%hesitation"),
        ("!SIL", "!SIL"),
        ("yes <COMMA> no <NOISE>", "<NOISE>"),
        ("Да! 5 % и 5%, C++, a < b, (в скобках) <COMMA> !Hola", None),
    ],
)
def test_what_is_not_a_word(text, mark):
    assert no_word(text) == mark


def test_what_the_language_can_write_is_not_foreign():
    assert foreign([], RU.letters) is None
    assert foreign(["ёлка", "подъезд"], RU.letters) is None
    assert foreign(["don't"], EN.letters) is None


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["дом", "5"], ["digits in '5'", "write numbers as words"]),
        (["5б"], ["digits in '5б'"]),
        (["٣"], ["digits"]),
        (["дoм"], ["'дoм'", "'o' (latin small letter o)"]),
        (["да", "yes"], ["'yes'", "'e' (latin small letter e)", "'s'"]),
        (["don't"], ["(apostrophe)"]),
    ],
)
def test_foreign_says_what_and_where(words, parts):
    message = foreign(words, RU.letters)
    for part in parts:
        assert part in message


def test_at_most_three_letters_are_named():
    assert foreign(["abcdef"], RU.letters).count("latin") == 3


def test_scoring_folds_letters_and_splits_tokens():
    normalize = WordNormalizer(RU)
    assert normalize(["Ёлка", "кто-то", "да", "5", "..."]) == [
        ["елка"],
        ["кто", "то"],
        ["да"],
        ["5"],
        [],
    ]
    assert "'ё' as 'е'" in str(normalize)
    with pytest.raises(UserError, match=r"single letters, not \['дж'\]"):
        WordNormalizer(Language("дж", "ru", fold={"дж": "ж"}))
