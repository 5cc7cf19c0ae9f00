from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cascade.corpora.audio import AudioInfo
from cascade.data.checked_utterances import Spool
from cascade.data.utterance_checks import Checked

INFO = st.builds(AudioInfo, *[st.integers(1, 10**9)] * 3)
UTTERANCES = st.builds(
    Checked,
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
    dim=st.integers(0, 99),
)


@given(st.lists(UTTERANCES, max_size=5))
def test_what_is_spooled_comes_back(tmp_path_factory, items):
    spool = Spool(tmp_path_factory.mktemp("spool") / "in a folder" / "spool")
    for item in items:
        spool.add(item)
    assert list(spool) == items == list(spool)
    assert spool.some(range(1, 3)) == items[1:3]
    assert spool.some([]) == []
    spool.close()
    assert not spool.path.exists()
