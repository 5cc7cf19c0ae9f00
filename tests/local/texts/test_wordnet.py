import pytest

from local.texts import wordnet


def test_wordnet_examples(tmp_path):
    line = '00001 02 n 01 | a thing; "he said; \'go\'"; "an old man\'s tale"  \n'
    path = tmp_path / "data.noun"
    path.write_text(f"  1 licence\n{line}")
    assert list(wordnet.parse(path)) == ["he said; 'go'", "an old man's tale"]


@pytest.mark.parametrize(
    ("example", "text"),
    [
        ("the old man's boat, once new, sank.", "the old man's boat once new sank"),
        ("I saw a big dog", "I saw a big dog"),
        ("too few of them", None),
        ("one two three four five six seven eight nine ten a b c", None),
        ("there were 3 big dogs here", None),
        ("a well-known man of letters", None),
        ("he said `no' to me", None),
        ("Dr Jones was here last night", None),
        ("the FBI was here last night", None),
        ("a plan B was made there", None),
        ("the café was open all night", None),
    ],
)
def test_wordnet_prompts(example, text):
    assert wordnet.prompt(example, 5, 12) == text


def test_choice_is_fixed_and_without_duplicates():
    texts = [f"this is sentence {word}" for word in ("one", "two", "three", "four")]
    first = wordnet.chosen(iter([*texts, "This is sentence ONe"]), 3, 3, 12)
    again = wordnet.chosen(iter(texts[::-1]), 3, 3, 12)
    assert first == again
    assert len({text.lower() for text in first}) == 3
    assert len(wordnet.chosen(iter([*texts, "This is sentence ONe"]), 9, 3, 12)) == len(texts)
