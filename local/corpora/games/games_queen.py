"""Flight of the Amazon Queen: 4 hours of twelve actors, MP3 at 11,025 Hz.

Debian package ``flight-of-the-amazon-queen``. The credits name an actor for each character, and
one actor plays up to eight. So the speakers are actors.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from local.corpora.games.binary import Binary
from local.corpora.games.game_lines import Line
from local.corpora.games.queen_cast import Cast, cast
from local.corpora.games.queen_files import Sentence, archive, cutaway, dialogue
from local.helpers import cached_folder, debian

PACKAGE = debian.Package(
    "flight-of-the-amazon-queen",
    "1.0.0-9",
    {"all": "40c08fd258d6fe95c46c1eaf5e9137f84ba330657995a281bd887c94a560a0f1"},
)
FOLDER = "usr/share/scummvm/flight-of-the-amazon-queen/"
RATE = 11025  # Hz, of its recordings
SCALE = 0.75  # decoded peaks reach 1.2
CLICK = slice(1105, 1118)  # where a rest of an old header was encoded as sound

ACTORS = {  # as the credits have them
    "lavelle": "JOE",
    "hill": "SPARKY JIMMY APE2 SKIP MAN1 WEDGEWOOD EDDY RICO",  # Rico may be Enn Reitel
    "hootkins": "FRANK MIKE BUD JOHN CHEF MAN2",
    "reitel": "ANDERSON KLUNK HENRY DEATH ROBOT",  # Klunk may be Mike Hurley
    "martin": "NAOMI SECRETARY ZOMBIE",
    "reagan": "MARYLOU WITCH",
    "coleman": "BOB",
    "valdez": "FAYE RITA",
    "arnold": "AZURA LOLA AMGUARD SHOWERAM",  # Lola may be Regina Reagan
    "james": "IAN CHIEF",
    "keith": "ORACLE",
    "hurley": "HUGH",
}
ACTOR = {name: actor for actor, names in ACTORS.items() for name in names.split()}
ANIMALS = ("APE", "DOG")
SAME = {  # names of one character
    "TAMMY": "MARYLOU",
    "LOU": "SKIP",
    "JOHAN": "JOHN",
    "PRINCESS1": "AZURA",
    "PRINCESS2": "AZURA",
    "ANDSON": "ANDERSON",
    "ZOMBIE2": "ZOMBIE",
    "LOLA_SHOWER": "LOLA",
}
# Where the state of the game decides who stands there: who speaks, and in which cutaways
# somebody else does. None: not known.
CHOICE: dict[frozenset[str], str | None] = {
    frozenset({"FRANK", "SPARKY"}): "SPARKY",
    frozenset({"AZURA", "TMPD"}): "AZURA",
    frozenset({"AMGUARD", "AZURA"}): "AMGUARD",
    frozenset({"FAYE", "GUARDS"}): "FAYE",
    frozenset({"DEATH", "HENRY"}): "DEATH",
    frozenset({"APE1", "APE2"}): "APE2",
    frozenset({"ANDERSON", "FRANK"}): None,
}
OTHERWISE: dict[tuple[str, str | None], str | None] = {
    ("C69Z", "SPARKY"): "FRANK",
    ("C69Z", "AZURA"): "ROBOT",
    ("C18B", "AMGUARD"): "AZURA",
    ("C18C", "AMGUARD"): "AZURA",
    ("C62A", "DEATH"): None,
}
INVENTED = re.compile(r"19....P|78....P|C20A_0[46]|C20F_0[57]")  # names of lines in Pygmy
GAGGED = re.compile(r"79....P")


def lines(folder: Path) -> Iterator[Line]:
    """Yield every part of a line that has letters and a sound, sorted by the sounds' names.

    ``folder`` is where the package is unpacked. Raises `UserError` for files of other contents.
    """
    path = folder / FOLDER / "queen.1c"
    files = archive(path)
    try:
        persons = cast(files["QUEEN.JAS"], files["QUEEN2.JAS"])
        spoken = list(_spoken(files, persons))
    except KeyError as error:
        raise cached_folder.damaged(path, f" lacks the file {error}") from None
    lines_by_name = defaultdict(list)
    for line in spoken:
        lines_by_name[line.name].append(line)
    for _, several in sorted(lines_by_name.items()):
        if len({line.text for line in several}) > 1:
            several[0] = replace(several[0], problem="two texts for this sound")
        yield several[0]


def _spoken(files: dict[str, Binary], persons: Cast) -> Iterator[Line]:
    """Yield each part that has letters and a sound; parts with one sound come as often as used."""
    partners = dict(reversed(persons.talks))
    sentences: list[tuple[str, Sentence]] = [("", sentence) for sentence in persons.remarks]
    for name, file in files.items():
        if name.endswith(".CUT"):
            scene = cutaway(file, persons.is_person)
            sentences += [(name.partition(".")[0], sentence) for sentence in scene.sentences]
            if persons.is_person(scene.partner):
                partners.setdefault(scene.dialogue, scene.partner)
    for name, file in files.items():
        if name.endswith(".DOG"):
            sentences += [("", sentence) for sentence in dialogue(file, partners.get(name))]
    for scene_name, sentence in sentences:
        character = who(sentence.object, scene_name, persons)
        problem = None
        if INVENTED.match(sentence.prefix):
            problem = "an invented language"
        elif character in ANIMALS or GAGGED.match(sentence.prefix):
            problem = "an animal, or somebody who is gagged"
        actor = ACTOR.get(character or "")
        speaker = f"queen_{actor}" if actor else None
        for name, text in sentence.parts():
            sound = files.get(f"{name}.SB")
            if sound and any(map(str.isalpha, text)):
                yield Line(name, text.strip(), speaker, sound.data, problem)


def who(number: int | None, scene: str, persons: Cast) -> str | None:
    """The character that speaks as the object ``number`` in a ``scene``; None if not known."""
    if not number:
        return None if number is None else "JOE"
    names = frozenset(map(_folded, persons.actors.get(number, ())))
    if len(names) == 1:
        return next(iter(names))
    character = CHOICE.get(names)
    return OTHERWISE.get((scene, character), character)


def _folded(name: str) -> str:
    """The one name of a character: X10_JOE is JOE, FAYE-H is FAYE."""
    name = re.sub(r"^X\d+_|-[A-Z]$", "", name)
    return SAME.get(name, name)


def samples(line: Line) -> np.ndarray:
    """Decode the sound of a line, floats of +-1, (N,) at `RATE`; a click at its start is removed.

    Raises `ValueError` for a sound that cannot be decoded, or is of another rate.
    """
    try:
        decoded, rate = soundfile.read(io.BytesIO(line.sound), dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ValueError(str(error)) from None
    if rate != RATE:
        raise ValueError(f"it has {rate} Hz")
    sound = decoded.mean(axis=1)  # (N, C) -> (N,)
    after = np.abs(sound[CLICK.stop : CLICK.stop + 110]).max(initial=0)
    if np.abs(sound[CLICK]).max(initial=0) > max(0.3, 2.5 * after):
        sound[CLICK] = 0
    return SCALE * sound
