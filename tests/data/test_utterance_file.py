from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cascade.corpora.audio import AudioInfo
from cascade.data.utterance_checks import CheckedUtterance
from cascade.data.utterance_file import UtteranceFile

INFO = st.builds(AudioInfo, *[st.integers(1, 10**9)] * 3)
UTTERANCES = st.builds(
    CheckedUtterance,
    id=st.text(),
    audio=st.text("ab/ё \udc80", min_size=1).map(Path),
    words=st.lists(st.text()).map(tuple),
    speaker=st.text(),
    start=st.floats(0, 1e6),
    seconds=st.floats(0, 1e6),
    info=st.none() | INFO,
    digest=st.text(),
    clipped=st.floats(0, 1),
    channel=st.none() | st.integers(0, 9),
    features=st.none() | st.text(),
    feature_size=st.integers(0, 99),
)


@given(st.lists(UTTERANCES, max_size=5))
def test_what_is_written_comes_back(tmp_path_factory, items):
    path = tmp_path_factory.mktemp("file") / "in a folder" / "utterances"
    with UtteranceFile(path) as utterances:
        for item in items:
            utterances.add(item)
        assert list(utterances) == items == list(utterances)
        assert utterances.pick(range(1, 3)) == items[1:3]
        assert utterances.pick([]) == []
        assert path.exists()
    assert not path.exists()
