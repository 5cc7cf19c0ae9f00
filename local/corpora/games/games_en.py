"""English of three computer games: 6.6 hours of actors, in 67 voices.

Flight of the Amazon Queen (part ``queen``, 4.0 hours of 12 actors), Drascula (``drascula``, 0.7
hours of 11 characters) and Beneath a Steel Sky (``sky``, 1.9 hours of 44 characters). The leading
speaker has 40 to 46 % of each: the recipe's ``max_minutes_per_speaker`` is meant for this. All
three were recorded at 11,025 Hz, and nothing is above 5.2 kHz.

The texts are the games' own subtitles, by the name of each sound. Nobody has listened to them.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora.games import game_lines, games_drascula, games_queen, games_sky
from local.helpers import cached_folder, debian, resampling, threads

log = logging.getLogger("cascade")

GAMES: dict[str, ModuleType] = {
    "queen": games_queen,
    "drascula": games_drascula,
    "sky": games_sky,
}
LICENCE = (
    "Flight of the Amazon Queen (C) John Passfield and Steven Stamatiadis, Drascula (C) Alcachofa"
    " Soft S.L., Beneath a Steel Sky (C) Revolution Software Ltd: free to copy and modify, but no"
    " fee for a game itself; copies keep readme and notices, changed ones say so."
)
PARTS = tuple(GAMES)
CORPUS = "games_en"
VERSION = 1  # raise it with any change of the samples, or of what is taken
TABLE = "lines.tsv"


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the lines of the game ``request.part``, or of all, in the order of their sounds.

    A line that is left out is excluded, with the reason. Raises `UserError` for a package whose
    files cannot be read.
    """
    folders = {part: _made(request, part) for part in PARTS if request.part in (None, part)}
    for part, folder in folders.items():
        for name, speaker, seconds, why, text in _rows(folder / TABLE):
            identifier = f"{CORPUS}-{part}-{name}"
            if why:
                yield Excluded(identifier, why, float(seconds), selection=True)
            else:
                yield Utterance(identifier, folder / f"{name}.wav", text, speaker)


def _made(request: CorpusRequest, part: str) -> Path:
    """The folder with the recordings of a game that are taken, and a table of all its lines."""
    game = GAMES[part]
    final = request.data / CORPUS / f"{part}_{request.rate}"

    def fill(partial: Path) -> None:
        prefixes = (game.FOLDER, "usr/share/doc/")
        packages = f"{CORPUS}/packages_{part}"
        source = debian.unpack([game.PACKAGE], request, packages, prefixes)
        lines = list(game.lines(source))
        problems = game_lines.problems(lines)
        log.info("Writing the speech of %s at %d Hz into %s", part, request.rate, final)
        rows = [""] * len(lines)

        def one(number: int) -> None:
            line, why = lines[number], problems[number]
            try:
                samples = game.samples(line)
            except ValueError as error:
                where = f": the sound '{line.name}' cannot be decoded ({error})"
                raise cached_folder.damaged(source / game.FOLDER, where) from None
            seconds = len(samples) / game.RATE
            why = why or game_lines.speed(line.text, seconds)
            if why is None:
                wav = partial / f"{line.name}.wav"
                samples = resampling.mono(samples[:, None], game.RATE, request.rate)
                resampling.save(wav, samples, request.rate)
            row = (line.name, line.speaker or "", f"{seconds:.3f}", why or "")
            rows[number] = "\t".join((*row, " ".join(line.text.split()))) + "\n"

        threads.for_each(one, range(len(lines)), request.jobs, f"{CORPUS} {part}")
        (partial / TABLE).write_text("".join(rows), encoding="utf-8")

    description = f"{CORPUS} {VERSION}\nrate {request.rate}\n{game.PACKAGE.line}"
    return cached_folder.provide(final, description, fill)


def _rows(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each line of a game: name, speaker, seconds, problem, text.

    ::

        BOB00011  queen_coleman  1.620         Howdy Joe.
        BOB00012  queen_coleman  0.810  fewer than 2 words  Howdy!
        JOE00011  queen_lavelle  2.041         I don't see anything special

    Fields are separated by tabs. Raises `UserError` for a line of another form.
    """
    for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = row.split("\t")
        if len(fields) != 5:
            raise cached_folder.damaged(path, f", line {number} has not 5 fields")
        yield fields
