"""What espeak-ng would read wrongly: for each voice, words whose phones are known."""

import pytest

from cascade.config.sections import Language
from cascade.text.lexicon import look_up

WORDS = {
    "uz": {  # in Cyrillic and in Latin
        "ўзбек": "o z b e k",
        "oʻzbek": "o z b e k",
        "тошкент": "t ɑ ʃ k e n t",
        "чой": "tʃ ɑ j",
        "choy": "tʃ ɑ j",
        "маъно": "m æ ʔ n ɑ",
        "ma'no": "m æ ʔ n ɑ",
        "ер": "j e ɾ",
        "келди": "k e ɫ d ɪ",
        "исҳоқ": "ɪ s ʔ h ɑ q",
        "ғалаба": "ʁ æ l æ b æ",
    },
    "kk": {  # in Latin
        "qalai": "q ɑ ɫ ɑ j",
        "қалай": "q ɑ ɫ ɑ j",
        "şomylady": "ʃ o m ə ɫ ɑ d ə",
        "tañerteñ": "t ɑ ŋ e ɾ t e ŋ",
        "oqidy": "o q ə j d ə",
        "оқиды": "o q ə j d ə",
    },
    "ky": {"иш": "i ʃ", "чоң": "tʃ o ŋ", "өзөн": "œ z œ n", "жол": "dʒ o l", "атам": "ɑ t ɑ m"},
    "ga": {"agus": "ɑ ɡ ə s", "baile": "b ɑ lʲ ɛ"},
    "cy": {"gẁr": "ɡ w r", "mẁg": "m u ɡ"},
    "sw": {"ng'ombe": "ŋ o m b e", "ngoma": "ŋ ɡ o m a", "wang'aavu": "w a ŋ a a v u"},
    "gn": {"yvy": "ɨ β ɨ", "ỹ": "ɨ̃"},
    "eu": {"zu": "s̻ u", "su": "s u", "atzo": "a ts̻ o", "atso": "a ts o"},
    "ru": {"мама": "m ɑ m a"},
}


@pytest.mark.parametrize("voice", WORDS)
def test_words_whose_phones_are_known(voice):
    language = Language("", voice)
    phones = {word: " ".join(pron) for word, pron in look_up(WORDS[voice], language).items()}
    assert phones == dict(sorted(WORDS[voice].items()))
