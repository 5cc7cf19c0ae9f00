"""Who says which text in Beneath a Steel Sky: the calls of "speak" in the game's scripts.

A module of scripts is a file of words of 2 bytes: word i is where script i begins, and word 0 is
how many there are. A script is instructions for a machine with a stack::

    2 16        push a number: who
    2 8261      push a number: the text
    2 7         push a number: the animation
    11 3 140    call function 140 / 4 = 35, with three arguments
    13          end
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local.corpora.games.binary import Binary

PUSH_VARIABLE, PUSH_NUMBER, CALL, SWITCH = 0, 2, 11, 14
OPERANDS = {PUSH_VARIABLE: 1, PUSH_NUMBER: 1, 5: 1, 6: 1, 9: 1, 15: 1, 16: 1, 18: 1, CALL: 2}
LAST = 20  # instruction
SPEAK = (35, 36, 37, 38)  # who, text, animation
MENU = 70  # text, animation: the hero says it
RUNNING, PARTNER = 12, 120  # variables: the running character, the partner of a conversation


@dataclass(frozen=True)
class Call:
    """A ``text`` is said in a ``script``, by an ``object`` or by whom a ``variable`` names.

    If both are None, the hero says it.
    """

    script: int
    text: int
    object: int | None = None
    variable: int | None = None


def calls(data: Binary, module: int) -> Iterator[Call]:
    """Yield the calls of "speak" in the scripts of a module; raises `UserError`.

    Calls whose text is not a number are left out.
    """
    words = [data.unsigned() for _ in range(len(data.data) // 2)]
    starts = {start: i for i, start in enumerate(words[: words[0] if words else 0]) if i}
    ends = [*sorted(starts)[1:], len(words)]
    for start, end in zip(sorted(starts), ends, strict=False):
        pushed: list[tuple[int, int]] = []
        for code, operands in _instructions(data, words, start, end):
            if code in (PUSH_VARIABLE, PUSH_NUMBER):
                pushed.append((code, operands[0]))
            if code != CALL:
                continue
            function = operands[1] // 4
            arguments = pushed[-operands[0] :] if operands[0] else []
            pushed = []
            script = module << 12 | starts[start]
            if function == MENU and len(arguments) == 2:
                arguments.insert(0, (PUSH_NUMBER, -1))
            elif function not in SPEAK or len(arguments) != 3:
                continue
            (who_code, who), (text_code, text), _ = arguments
            if text_code == PUSH_NUMBER and who_code == PUSH_VARIABLE:
                yield Call(script, text, variable=who // 4)
            elif text_code == PUSH_NUMBER:
                yield Call(script, text, object=who if who >= 0 else None)


def _instructions(
    data: Binary, words: list[int], at: int, end: int
) -> Iterator[tuple[int, list[int]]]:
    """Yield code and operands of the instructions in words[at:end]."""
    while at < end:
        code = words[at]
        count = OPERANDS.get(code, 0)
        if code == SWITCH and at + 1 < end:
            count = 2 + 2 * words[at + 1]
        if code > LAST or at + 1 + count > end:
            raise data.damaged(f"has an instruction {code} that is not known, or is cut off")
        yield code, words[at + 1 : at + 1 + count]
        at += 1 + count
