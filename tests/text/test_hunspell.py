from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spylls.hunspell import Dictionary

from cascade.runtime.errors import UserError
from cascade.text.hunspell import expand

AFF = """SET UTF-8
NEEDAFFIX %
FORBIDDENWORD !
PFX N Y 1
PFX N 0 не .
SFX A Y 4
SFX A ый ого [^к]ый
SFX A ий его ий
SFX A ый ая ый
SFX A ий яя ий
SFX B N 1
SFX B 0 ся ть
"""
DIC = """6
добрый/AN
синий/A
брать/BN
дом
небыл/!
стол%/A
"""


def write(folder: Path, aff: str, dic: str, encoding: str = "utf-8") -> Path:
    (folder / "x.aff").write_text(aff, encoding=encoding)
    (folder / "x.dic").write_text(dic, encoding=encoding)
    return folder / "x.dic"


def forms(path: Path) -> dict[int, list[str]]:
    expanded = expand(path)
    table = defaultdict(list)
    for word, entry in zip(expanded.words, expanded.entry, strict=True):
        table[int(entry)].append(word)
    return {entry: sorted(words) for entry, words in table.items()}


def test_affixes_conditions_and_cross_products(tmp_path):
    by_entry = forms(write(tmp_path, AFF, DIC))
    assert by_entry[0] == sorted(
        ["добрый", "доброго", "добрая", "недобрый", "недоброго", "недобрая"]
    )
    assert by_entry[1] == sorted(["синий", "синего", "синяя"])
    # -ся has no cross product, so небраться is not a form.
    assert by_entry[2] == sorted(["брать", "браться", "небрать"])
    assert by_entry[3] == ["дом"]
    assert 4 not in by_entry  # forbidden


@pytest.mark.parametrize("encoding", ["koi8-r", "iso8859-5", "utf-8"])
def test_encodings(tmp_path, encoding):
    aff = AFF.replace("UTF-8", encoding)
    assert forms(write(tmp_path, aff, DIC, encoding))[3] == ["дом"]


@pytest.mark.parametrize(
    ("flag", "names"), [("long", ("Aa", "Bb")), ("num", ("1001,", "17")), ("UTF-8", ("Й", "ы"))]
)
def test_kinds_of_flags(tmp_path, flag, names):
    one, two = (name.strip(",") for name in names)
    aff = (
        f"SET UTF-8\nFLAG {flag}\nSFX {one} Y 1\nSFX {one} 0 a .\nSFX {two} Y 1\nSFX {two} 0 b .\n"
    )
    assert forms(write(tmp_path, aff, f"1\nx/{''.join(names)}\n"))[0] == ["x", "xa", "xb"]


def test_a_suffix_may_bring_a_suffix(tmp_path):
    aff = "SET UTF-8\nSFX A Y 1\nSFX A 0 er/B .\nSFX B Y 1\nSFX B 0 s r\n"
    assert forms(write(tmp_path, aff, "1\nread/A\n"))[0] == ["read", "reader", "readers"]


def test_what_needs_an_affix_is_not_a_word(tmp_path):
    aff = "SET UTF-8\nNEEDAFFIX X\nSFX A Y 1\nSFX A 0 s .\n"
    assert forms(write(tmp_path, aff, "1\nscissor/AX\n"))[0] == ["scissors"]


def test_rules_are_shared_by_entries(tmp_path):
    expanded = expand(write(tmp_path, AFF, DIC))
    by_word = dict(zip(expanded.words, expanded.rule.tolist(), strict=True))
    assert by_word["синяя"] != by_word["синего"] and by_word["дом"] == by_word["синий"] == 0


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_form_is_a_word_to_the_spelling_checker(tmp_path_factory, data):
    """Any form that is made is correct for spylls, a port of hunspell."""
    folder = tmp_path_factory.mktemp("any")
    end = st.text("ab", max_size=2)
    lines = ["SET UTF-8"]
    for kind, flag in (("SFX", "A"), ("SFX", "B"), ("PFX", "C")):
        lines.append(f"{kind} {flag} {data.draw(st.sampled_from('YN'))} 1")
        strip, add = data.draw(end), data.draw(end.filter(bool))
        second = data.draw(st.sampled_from(["", "/B"])) if flag == "A" else ""
        condition = data.draw(st.sampled_from([".", "a", "[^a]", "[ab]"]))
        lines.append(f"{kind} {flag} {strip or 0} {add}{second} {condition}")
    words = data.draw(st.lists(st.text("ab", min_size=3, max_size=5), min_size=1, max_size=4))
    flags = [data.draw(st.sets(st.sampled_from("ABC"))) for _ in words]
    dic = [f"{w}/{''.join(sorted(f))}" if f else w for w, f in zip(words, flags, strict=True)]
    path = write(folder, "\n".join(lines) + "\n", "\n".join([str(len(dic)), *dic]) + "\n")
    checker = Dictionary.from_files(str(path.with_suffix("")))
    for word in expand(path).words:
        assert checker.lookup(word), (word, lines, dic)


def test_what_is_not_a_dictionary(tmp_path):
    with pytest.raises(UserError, match=r"x\.aff cannot be read"):
        expand(tmp_path / "x.dic")
    with pytest.raises(UserError, match="are not a hunspell dictionary"):
        expand(write(tmp_path, "SET no-such-code\n", "1\nx\n"))
