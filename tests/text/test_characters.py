"""Texts as people have them: a test for each kind of fault, and for its members."""

import unicodedata
from collections import Counter

import pytest

from cascade.config.sections import Language
from cascade.text.alphabet import count, letters
from cascade.text.characters import normalise, repaired
from cascade.text.words import WordNormalizer, foreign, no_word, words_of

LATIN = "abcdefghijklmnopqrstuvwxyz"
RU = Language("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "ru")
UK = Language("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'", "uk")
TR = Language("abcçdefgğhıijklmnoöprsştuüvyz", "tr")
AZ = Language("abcçdeəfgğhxıijkqlmnoöprsştuüvyz", "az")
LT = Language("aąbcčdeęėfghiįyjklmnoprsštuųūvzž", "lt")
EL = Language("αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ", "el")
GA = Language("abcdefghijklmnopqrstuvwxyzáéíóú", "ga")
FA = Language("آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیء\u200c", "fa")
AR = Language("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "ar")
HE = Language("אבגדהוזחטיךכלםמןנסעףפץצקרשת'", "he")


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        (TR, "IĞDIR, ISPARTA, İstanbul, Işık", "ığdır ısparta istanbul ışık"),
        (TR, unicodedata.normalize("NFD", "İstanbul IĞDIR"), "istanbul ığdır"),
        (AZ, "İQTİSADİYYAT VƏ IŞIQ", "iqtisadiyyat və ışıq"),
        (Language(LATIN, "en-us"), "İstanbul", "istanbul"),  # no dot on its own
        (LT, "Ì i\u0307\u0300 Ĩ J\u0303 į\u0307\u0301", "i i i j į"),  # the dot of i, accents
        (LT, "KÌLMĖ kìlmė kilmė\u0303", "kilmė kilmė kilmė"),  # the tilde is an accent
        (EL, "ΟΔΟΣ, ΟΔΥΣΣΕΑΣ· Σ' αγαπώ", "οδος οδυσσεας σ αγαπώ"),  # the last sigma of a word
        (Language(LATIN + "ßäöü", "de"), "STRAẞE Straße", "straße straße"),
        (Language(LATIN, "nl"), "IJsland Ĳsland ĳs", "ijsland ijsland ijs"),
        (
            GA,
            "nAthair n-athair tÉan t-éan hÉireann bhFuil",
            "nathair nathair téan téan héireann bhfuil",
        ),
        (Language(GA.letters + "àèìòù", "gd"), "t-Athair h-Alba", "tathair halba"),
    ],
)
def test_case_is_that_of_the_language(language, text, words):
    assert words_of(text, language) == words.split()
    assert count([text], language.voice).words == count([words], language.voice).words


def test_what_capitals_lose_is_folded_when_words_are_scored():
    greek = Language(EL.letters, "el", fold={"ά": "α", "ή": "η"})
    assert WordNormalizer(greek)(["ΑΘΗΝΑ", "Αθήνα"]) == [["αθηνα"], ["αθηνα"]]
    german = Language(LATIN + "ß", "de", fold={"ß": "ss"})
    assert WordNormalizer(german)(["STRASSE", "Straße"]) == [["strasse"], ["strasse"]]


INVISIBLE = [*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0xAD, 0x202A, 0x202E, 0x2066, 0x2069, 0x61C]
INVISIBLE += [0xFE00, 0xFE0F, 0xE0100, 0x34F, 0x180B, 0x180E]


@pytest.mark.parametrize("char", INVISIBLE, ids=hex)
def test_what_nobody_sees_does_not_separate_words(char):
    text = f"До{chr(char)}брый {chr(char)}день{chr(char)}"
    assert words_of(text, RU) == ["добрый", "день"]
    assert letters(count([text], "ru").lines) == letters(count(["добрый день"], "ru").lines)


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("fa", "می\u200cخواهم"),
        ("hi", "क्\u200dष"),
        ("mr", "ऱ्\u200dया"),
        ("bn", "র\u200d্যাব"),
        ("si", "ශ්\u200dරී"),
        ("kn", "ರಾಜ್\u200cಕುಮಾರ್"),
        ("ml", "അവന്\u200d"),
    ],
)
def test_joiners_are_kept_where_they_separate_letters(voice, text):
    known = letters(count([text], voice).lines)
    assert {*text} - {*known} == set()
    assert words_of(text, Language(known, voice)) == [text]


def test_a_joiner_between_arabic_letters_of_arabic_is_noise():
    assert words_of("كت\u200cاب", AR) == ["كتاب"]
    assert "\u200c" not in letters(count(["كت\u200cاب"], "ar").lines)


@pytest.mark.parametrize("voice", ["km", "lo", "my", "th"])
def test_a_zero_width_space_separates_words_where_nothing_else_does(voice):
    assert words_of("ab\u200bc", Language("abc", voice)) == ["ab", "c"]


def test_a_character_that_was_lost_is_reported_and_does_not_cut_the_word():
    words = words_of("при\ufffdет", RU)
    assert words == ["при\ufffdет"]
    assert "'\ufffd' (replacement character)" in foreign(words, RU.letters)


@pytest.mark.parametrize(
    "text",
    [
        *("з+амок на холм+е", "за+мок на холме+", "З+АМОК НА ХОЛМ+Е"),
        *("за'мок на холме'", "за’мок на холме’", "за´мок на холме´"),
        *("замо=к на холме", "за`мок на холме`"),
        *("за\u0301мок на холме\u0301", "за\u0300мок на холмѐ"),
        *("за\u0341мок на холме\u0341", "за\u0340мок на холме\u0340"),  # the same, deprecated
    ],
)
def test_a_stress_mark_is_dropped(text):
    assert words_of(text, RU) == ["замок", "на", "холме"]


def test_stress_marks_are_counted_but_not_combining_ones():
    counts = Counter()
    words_of("з+амок на холм+е, за\u0301мок", RU, counts)
    assert counts == {"stress marks dropped": 2}


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        (RU, "О'Генри об'явить д'Артаньян", "о генри об явить д артаньян"),
        (RU, "2+2, а + б, а=б, C++ это", "2 2 а б аб c это"),
        (UK, "п'ять об'єкт з+амок за´мок", "п'ять об'єкт замок замок"),
        (Language(LATIN + "'", "fr-fr"), "l´eau a+e", "l'eau a e"),
        (Language(RU.letters, "ru", stress_marks="+"), "за'мок з+амок", "за мок замок"),
    ],
)
def test_what_is_no_stress_mark(language, text, words):
    assert words_of(text, language) == words.split()


@pytest.mark.parametrize("apostrophe", "'’‘‛′´ʼʻ＇")
def test_one_apostrophe(apostrophe):
    assert words_of(f"м{apostrophe}ята п{apostrophe}ять", UK) == ["м'ята", "п'ять"]
    assert letters(count([f"м{apostrophe}ята"], "uk").lines) == "амтя'"
    modifier = Language(UK.letters.replace("'", "ʼ"), "uk")
    assert words_of(f"під{apostrophe}їзд", modifier) == ["підʼїзд"]  # the recipe's own choice


@pytest.mark.parametrize("apostrophe", "'’‘ʼʻ´`ʹ")
def test_uzbek_tells_two_apostrophes_apart(apostrophe):
    uzbek = Language("abdefghijklmnopqrstuvxyzʻ'", "uz")
    text = f"o{apostrophe}zbek, G{apostrophe}alaba, ma{apostrophe}no"
    assert words_of(text, uzbek) == ["oʻzbek", "gʻalaba", "ma'no"]
    assert letters(count([text], "uz").lines) == "abegklmnozʻ'"


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("sw", "Ng'ombe, ng’ombe, ng`ombe", ["ng'ombe"] * 3),
        ("gn", "mboꞌe, Mbo’e, mboʼe", ["mbo'e"] * 3),
        ("ga", "b’fhéidir d`ól D'ól", ["b'fhéidir", "d'ól", "d'ól"]),
        ("cy", "i’r ysgol i`n", ["i'r", "ysgol", "i'n"]),
        ("en", "``Don't'' the word`error'", ["don't", "the", "word", "error"]),
    ],
)
def test_apostrophes_that_keyboards_have_in_its_place(code, text, words):
    known = letters(count([text], code).lines)
    assert words_of(text, Language(known, code)) == words
    assert known[-1] == "'"


CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"


@pytest.mark.parametrize(
    ("code", "more", "text", "words"),
    [
        ("cv", "ӑӗҫӳ", "Çĕнĕ ÿсет, ĔÇ; Ӑна çулçă", "ҫӗнӗ ӳсет ӗҫ ӑна ҫулҫӑ"),
        ("cv", "ӑӗҫӳ", "çырчě ырǎ", "ҫырчӗ ырӑ"),  # the caron, which keyboards of Czech have
        ("tt", "әөүҗңһ", "һəм Əби мəктəптə hава ə", "һәм әби мәктәптә һава ә"),
        ("ba", "әөүғҙҡңҫһ", "өйрəнə hыу", "өйрәнә һыу"),
        ("kk", "әғқңөұүһі", "əкем жиhаз ɵзен", "әкем жиһаз өзен"),
        ("ky", "ңөү", "ɵзɵн", "өзөн"),
    ],
)
def test_latin_letters_that_keyboards_have_in_place_of_cyrillic(code, more, text, words):
    language = Language(CYRILLIC + more, code)
    assert words_of(text, language) == words.split()
    assert letters(count([text], code).lines) == letters(count([words], code).lines)
    assert words_of("OK hello façade", language) == ["ok", "hello", "façade"]


def test_a_language_in_latin_keeps_its_latin_letters():
    tatar = Language("abcçdeəfgğhiıjklmnñoöpqrsştuüvwxyz", "tt")
    assert words_of("səlam ə həm", tatar) == ["səlam", "ə", "həm"]
    assert words_of("mәn vǝ сән", AZ) == ["mən", "və", "сән"]
    assert words_of("мән", Language(CYRILLIC + "ә", "az")) == ["мән"]


def test_letters_with_a_cedilla_are_those_with_a_comma_in_romanian():
    romanian = Language("aăâbcdefghiîjklmnoprsștțuvxz", "ro")
    assert words_of("Ştefan, ţară, Șase", romanian) == ["ștefan", "țară", "șase"]
    assert words_of("ış ş", TR) == ["ış", "ş"]


HY = Language("աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև", "hy")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ինչպե՞ս եք, բարի՛ օր։", "ինչպես եք բարի օր"),
        ("Շնորհակալությո՜ւն, Ո՞վ է", "շնորհակալություն ով է"),
        ("Եւրոպան՝ հեռու", "ևրոպան հեռու"),
        ("երևան ԵՐԵՎԱՆ Երեւան ԵՐԵՒԱՆ", "երևան երևան երևան երևան"),
        ("Եվ նա ԵՎ ես և դու եւ", "և նա և ես և դու և"),
        ("Եվրոպա ԵՎՐՈՊԱ", "եվրոպա եվրոպա"),
    ],
)
def test_armenian(text, words):
    assert words_of(text, HY) == words.split()
    assert [word for (word,) in WordNormalizer(HY)(text.split()[:1])] == words.split()[:1]
    assert set(letters(count([text], "hy").lines)) <= set(HY.letters)


def test_capitals_of_georgian():
    georgian = Language("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ", "ka")
    assert words_of("ᲗᲑᲘᲚᲘᲡᲘ, Საქმის", georgian) == ["თბილისი", "საქმის"]
    assert letters(count(["ᲗᲑᲘᲚᲘᲡᲘ"], "ka").lines) == "ბთილს"


def test_tildes_of_guarani():
    text = unicodedata.normalize("NFD", "G̃uahẽ ỹvyra AG̃UI")
    guarani = Language(letters(count([text], "gn").lines), "gn")
    assert words_of(text, guarani) == ["g̃uahẽ", "ỹvyra", "ag̃ui"]
    assert foreign(words_of(text, guarani), guarani.letters) is None


@pytest.mark.parametrize("apostrophe", "'’‘ʼʻ")
def test_hawaiian_has_a_letter_for_it(apostrophe):
    hawaiian = Language("aeiouāēīōūhklmnpwʻ", "haw")
    assert words_of(f"{apostrophe}ōlelo Hawai{apostrophe}i", hawaiian) == ["ʻōlelo", "hawaiʻi"]


@pytest.mark.parametrize(
    ("language", "marked", "plain"),
    [
        (AR, "كِتَابٌ", "كتاب"),
        (AR, "مُحَمَّدٌ قـــال", "محمد قال"),
        (AR, "هٰذَا", "هذا"),
        (AR, "آ ا\u0653 أ ا\u0654", "آ آ أ أ"),  # hamza and madda make other letters
        (FA, "کِتاب كتاب", "کتاب کتاب"),
        (FA, "علي ایرانى", "علی ایرانی"),
        (Language(FA.letters + "ہ", "ur"), "پاكِستان", "پاکستان"),
        (HE, "שָׁלוֹם עוֹלָם", "שלום עולם"),
        (HE, "\ufb2a\ufb4b", "שו"),
        (HE, 'צה״ל וצה"ל ג׳ירפה', "צהל וצהל ג'ירפה"),
    ],
)
def test_marks_of_vowels_are_no_part_of_words(language, marked, plain):
    assert words_of(marked, language) == plain.split()


def test_marks_of_vowels_are_counted_and_kept_if_they_are_letters():
    counts = Counter()
    words_of("كِتَابٌ", AR, counts)
    assert counts == {"vowel marks dropped": 3}
    assert words_of("כָּל", Language(HE.letters + "\u05b8\u05bc", "yi")) == ["כ\u05b8\u05bcל"]
    assert letters(count(["كِتَابٌ", "שָׁלוֹם"][:1], "ar").lines) == "ابتك"


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        (Language(LATIN, "en-us"), "ﬁne oﬃce ſtone ＷＩＤＥ", "fine office stone wide"),
        (Language(LATIN + "čćđšž", "hr"), "ǆep Ǉubav ǌ", "džep ljubav nj"),
        (AR, "\ufefb \ufeb3\ufefc\ufee1", "لا سلام"),
        (Language("ガラスカ", "ja"), "ｶﾞﾗｽ", "ガラス"),
        (Language("նմով", "hy"), "ﬓո", "մնո"),
        (Language(LATIN + "·", "ca"), "col·legi, punt·", "col·legi punt"),
    ],
)
def test_forms_of_letters(language, text, words):
    assert words_of(text, language) == words.split()


def test_the_dot_of_catalan_is_a_letter_only_there():
    assert "·" in letters(count(["col·legi"], "ca").lines)
    assert "·" not in letters(count(["col·legi"], "es").lines)


@pytest.mark.parametrize(
    ("language", "text", "words", "changed"),
    [
        (RU, "Прocтo Привeт, MИР", "просто привет мир", 5),
        (RU, "OK, C", "ok c", 0),  # nothing else says that it is Russian
        (RU, "вaшz", "вaшz", 0),  # a letter that looks like none
        (Language(LATIN, "en-us"), "hоmе Тhe", "home the", 3),
        (EL, "Aθήνα oδός", "αθήνα οδός", 2),
        (RU, "ëлка eщë ЁЖ Ëж", "ёлка ещё ёж ёж", 4),
        (Language(UK.letters, "uk"), "ïжак краïна", "їжак країна", 2),
        (Language(CYRILLIC + "ҫғ", "ba"), "баçыу", "баҫыу", 1),
    ],
)
def test_letters_that_look_alike_are_fixed_if_asked(language, text, words, changed):
    counts = Counter()
    assert words_of(text, language, counts, fix=True) == words.split()
    assert counts["look-alike letters replaced"] == changed
    assert normalise(text, language) != normalise(text, language, fix=True) or not changed


@pytest.mark.parametrize(
    ("language", "text", "words", "what"),
    [
        (Language(LATIN + "'", "en"), "Tom &amp; Jerry don&#39;t", "tom jerry don't", "HTML"),
        (Language(LATIN + "'", "en"), "&quot;It&amp;#x27;s&quot;&nbsp;me", "it's me", "HTML"),
        (RU, "&laquo;Да&raquo;&mdash;нет", "да нет", "HTML"),
        (Language(LATIN + "é", "fr"), "Ã©tÃ©", "été", "UTF-8"),
        (Language(LATIN + "'", "en"), "Itâ€™s", "it's", "UTF-8"),
        (RU, "Ð¿Ñ€Ð¸Ð²ÐµÑ‚ ÑˆÐºÐ¾Ð»Ð°", "привет школа", "UTF-8"),
        (Language(LATIN + "'", "en"), "don\x92t \x93stop\x94\x85", "don't stop", "control"),
        (Language(LATIN + "šž", "sl"), "\x9eena \x8aola", "žena šola", "control"),
    ],
)
def test_what_programs_did_is_undone_and_counted(language, text, words, what):
    counts = Counter()
    assert words_of(text, language, counts) == words.split()
    assert [times for kind, times in counts.items() if what in kind] == [1]


@pytest.mark.parametrize(
    "text",
    ["AT&T, R&D; Q&amplifier &copy 1", "NÃO, ÃO", "garÃ§on été", "Ñ", "café’’", "CAFÉ»", "PÅ”"],
)
def test_what_no_program_did_stays(text):
    counts = Counter()
    assert repaired(text, counts) == text
    assert not counts


def test_an_escaped_tag_is_no_word():
    assert no_word("да &lt;unk&gt;") == "<unk>"
