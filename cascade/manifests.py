"""Lhotse manifests of a data set: recordings, supervisions and cuts."""

from collections.abc import Sequence

from lhotse import MonoCut, Recording, SupervisionSegment
from lhotse.audio import AudioSource

from cascade.check import Checked
from cascade.files import write_jsonl_gz, write_text
from cascade.layout import Layout


def write_manifests(key: str, language: str, kept: Sequence[Checked], layout: Layout) -> None:
    """Lhotse's three manifests of a data set, and the SHA-256 of its audio files."""
    recordings, cuts, digests = {}, [], {}
    for item in kept:
        whole = item.start == 0 and item.seconds == round(item.info.seconds, 6)
        recording = Recording(
            id=item.id if whole else str(item.audio),
            sources=[AudioSource(type="file", channels=[0], source=str(item.audio))],
            sampling_rate=item.info.rate,
            num_samples=item.info.samples,
            duration=item.info.seconds,
        )
        supervision = SupervisionSegment(
            id=item.id,
            recording_id=recording.id,
            start=0.0,
            duration=item.seconds,
            text=" ".join(item.words),
            language=language,
            speaker=item.speaker,
        )
        cut = MonoCut(
            id=item.id,
            start=item.start,
            duration=item.seconds,
            channel=0,
            supervisions=[supervision],
            recording=recording,
        )
        recordings[recording.id] = recording.to_dict()
        cuts.append(cut.to_dict())
        digests[str(item.audio)] = item.digest
    supervisions = [{**c["supervisions"][0], "start": c["start"]} for c in cuts]
    write_jsonl_gz(layout.recordings(key), recordings.values())
    write_jsonl_gz(layout.supervisions(key), supervisions)
    write_jsonl_gz(layout.cuts(key), cuts)
    lines = (f"{digest}  {path}\n" for path, digest in digests.items())
    write_text(layout.audio_digests(key), "".join(lines))
