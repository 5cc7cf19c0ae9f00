"""What espeak-ng is asked in place of a word, and what its answer means.

Some of its voices read one script only, do not know rare letters, or write a phone in letters that
are no IPA. Each entry was found by asking espeak-ng 1.52 for words whose phones are known.
"""

import re
from collections.abc import Mapping

# Uzbek in Cyrillic letters, as its Latin alphabet has them; the voice reads few of them.
UZBEK = dict(
    zip(
        "абвгдезийклмнопрстуфхыэжқҳ",
        "abvgdeziyklmnoprstufxiejqh",
        strict=True,
    )
) | {"ё": "yo", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "'", "ь": "", "ю": "yu"}
UZBEK |= {"я": "ya", "ў": "oʻ", "ғ": "gʻ"}
# Kazakh in the Latin letters of 2021, which the voice would read as English.
KAZAKH = dict(
    zip(
        "abcdefghijklmnopqrstuvxyzäğıñöşūü",
        "абцдефгхижклмнопқрстувхызәғіңөшұү",
        strict=True,
    )
)
WELSH = str.maketrans("ẁẃẀẂ", "wwWW")
# Symbols of espeak-ng that are not the IPA of the phone.
SYMBOLS = {"gn": {"y": "ɨ"}, "ky": {"oe": "œ", "oe:": "œ"}, "uz": {"y": "ɪ"}}
NG = "ng'"  # of Swahili; the voice would spell it at the start of a word
NOT_READ = {  # what no other spelling helps with
    "gn": "no ' (the puso), and g̃ as g",
}


def question(text: str, voice: str) -> str:
    """Return what to ask a voice for the phones of ``text``.

    >>> question("ўзбек", "uz"), question("qalai", "kk"), question("дом", "ru")
    ('oʻzbek', 'қалай', 'дом')
    """
    match code(voice):
        case "uz":
            text = re.sub("(?<![бвгджзйклмнпрстфхцчшщқғҳ])е", "йе", text)  # ye, but not in кел
            text = text.replace("сҳ", "с'ҳ")
            return "".join(UZBEK.get(c, c) for c in text)
        case "kk" if not re.search("[а-яёәғқңөұүһі]", text):
            text = re.sub("(?<=[aeoyäöuūüıi])i", "й", text)
            return "".join(KAZAKH.get(c, c) for c in text)
        case "cy":
            return text.translate(WELSH)
        case "sw" if text.startswith(NG):
            return "a" + text
    return text


def extra(text: str, voice: str) -> int:
    """Return how many phones at the start of the answer are not those of ``text``."""
    return int(code(voice) == "sw" and text.startswith(NG))


def asks_otherwise(voice: str) -> bool:
    """Say whether a voice is not asked for words as they are."""
    return code(voice) in ("cy", "kk", "sw", "uz")


def symbols(voice: str) -> Mapping[str, str]:
    """Return the symbols of a voice that stand for another one."""
    return SYMBOLS.get(code(voice), {})


def not_read(voice: str) -> str:
    """Return what a voice does not read, or reads wrongly; "" if nothing is known."""
    return NOT_READ.get(code(voice), "")


def code(voice: str) -> str:
    """Return the language of a voice without a region."""
    return voice.partition("-")[0]
