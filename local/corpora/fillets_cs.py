"""Czech dialogues of the game Fish Fillets: two fish and some 20 creatures, 94 minutes.

The creatures speak for 15 minutes. Debian packages ``fillets-ng-data`` (texts) and
``fillets-ng-data-cs`` (sounds).
"""

from collections.abc import Iterator

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.corpora import fillets

LICENCE = "fillets-ng-data-cs: GPL-2, ALTAR interactive and the Fish Fillets authors."
PARTS = fillets.PARTS
DIALOGUES = fillets.Dialogues(
    language="cs",
    letters="aábcčdďeéěfghiíjklmnňoópqrřsštťuúůvwxyýzž",
    sounds="3ecef99b9456f1c80c9625c6f2418642b52d58e7167a46bad7a412db17991b14",
)


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the lines level by level."""
    return fillets.listing(request, DIALOGUES)
