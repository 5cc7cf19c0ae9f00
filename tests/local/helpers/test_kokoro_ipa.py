import pytest

from local.helpers import kokoro_ipa

KNOWN = {
    character: number for number, character in enumerate("abdeflmnostuvyzɨəɛʃʒʧʤʦʣʨʥʲˈ ̃ɑrç", 1)
}


def read(ipa: str, language: str = "en-us") -> str:
    """The characters whose tokens the IPA becomes."""
    tokens, unknown = kokoro_ipa.tokens(ipa, language, KNOWN)
    assert not unknown
    letters = {number: character for character, number in KNOWN.items()}
    return "".join(letters[token] for token in tokens)


@pytest.mark.parametrize(
    ("ipa", "expected"),
    [
        ("tʃdʒtsdz", "ʧʤʦʣ"),
        ("tɕdʑʑ", "ʨʥʒ"),
        ("t͡s", "ʦ"),  # with a tie bar
        ("ɭɵɫ", "lol"),
        ("r̝̊r̝", "rʃrʒ"),  # Czech ř
        ("batn̩", "batən"),  # a syllable without a vowel
        ("la- ma", "la ma"),  # French liaison
        ("ɑ\u0303\u00e3", "ɑ\u0303a\u0303"),  # nasal vowels, also where Unicode has one character
        ("ç", "ç"),
        ("t̪ä", "ta"),
        ("erɪ^ d^", "erʲ dʲ"),  # espeak-ng's own sign for a soft consonant
    ],
)
def test_what_kokoro_writes_otherwise(ipa, expected):
    assert read(ipa) == expected


def test_only_russian_writes_another_vowel_as_y():
    assert read("y", "ru") == read("y", "ru-lv") == "ɨ" and read("y", "fr-fr") == "y"


def test_what_it_does_not_have_is_named():
    assert kokoro_ipa.tokens("ta6", "vi", KNOWN) == ((KNOWN["t"], KNOWN["a"]), {"6"})
