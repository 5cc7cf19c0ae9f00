"""Dutch dialogues of the game Fish Fillets: two fish, 88 minutes.

Debian packages ``fillets-ng-data`` (texts) and ``fillets-ng-data-nl`` (sounds).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import fillets

LICENCE = "fillets-ng-data-nl: GPL-2, ALTAR interactive and the Fish Fillets authors."
PARTS = fillets.PARTS
DIALOGUES = fillets.Dialogues(
    language="nl",
    letters="abcdefghijklmnopqrstuvwxyzàáäçèéêëïíóöûü",
    sounds="afb4443fda9ab507dee578b75be857d121718a1cd6017a474f30e0eb13dc9d10",
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the lines level by level."""
    return fillets.listing(request, DIALOGUES)
