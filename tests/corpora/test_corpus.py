import pytest

from cascade.corpora import corpus
from cascade.runtime.errors import UserError


def test_keys_that_a_corpus_takes():
    corpus.check_options("voices", {"voices": "own", "minutes": 5.0, "speakers": 3})
    corpus.check_options("festvox_ru", {})
    with pytest.raises(UserError) as caught:
        corpus.check_options("festvox_ru", {"minutes": 5.0})
    assert str(caught.value) == (
        "Corpus 'festvox_ru' does not take the key 'minutes'. Corpora that take it: voices."
    )


def test_which_corpora_a_program_speaks():
    assert {name for name in corpus.names() if corpus.synthetic(name)} == {"synth_en", "voices"}
