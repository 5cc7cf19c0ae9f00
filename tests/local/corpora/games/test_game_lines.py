import pytest

from local.corpora.games import game_lines
from local.corpora.games.game_lines import Line


@pytest.mark.parametrize(
    ("text", "speaker", "why"),
    [
        ("Never mind...", "a", None),
        ('"I can\'t," (he said) - `Really`?!', "a", None),
        ("Hey!", "a", "fewer than 2 words"),
        ("- ... ' -", "a", "fewer than 2 words"),
        ("WD40! ALWAYS useful!", "a", "digits in the text"),
        ("<gulp> Oh my!", "a", "odd signs in the text"),
        ("A toupeé!", "a", "odd signs in the text"),
        ("Never mind...", None, "the speaker is not known"),
    ],
)
def test_problems_of_a_text(text, speaker, why):
    assert game_lines.problem(text, speaker) == why


def test_the_second_copy_of_a_recording():
    lines = [
        Line("a", "Oh no!", None, b"1"),
        Line("b", "Oh no!", "x", b"1"),
        Line("c", "Oh no!", "x", b"2", "an animal"),
        Line("d", "Oh no!", "x", b"2"),
        Line("e", "Oh no!", "x", b"1"),
    ]
    copy = "another line has the same recording"
    assert game_lines.problems(lines) == ["the speaker is not known", None, "an animal", None, copy]


def test_letters_a_second():
    assert game_lines.speed("It's all right, man.", 0.6) is None  # 14 letters
    assert game_lines.speed("It's all right, man.", 2.8) is None
    assert game_lines.speed("It's all right, man.", 2.81) == "fewer than 5 letters a second"
    assert game_lines.speed("It's all right, man.", 0.55) == "more than 25 letters a second"
    assert game_lines.speed("It's all right, man.", 0) == "more than 25 letters a second"
