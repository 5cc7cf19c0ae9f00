"""The modules of local/ that are corpora."""

from cascade.corpora import corpus


def test_corpora_are_found():
    names = set(corpus.names())
    assert {"festvox_ru", "asterisk_ru", "asterisk_en", "fillets_cs", "synth_en", "table"} <= names
    assert {"games_en", "asterisk_it_menardi"} <= names
    assert not {"games_queen", "games_drascula", "games_sky", "game_lines", "rnc"} & names
    assert not {"debian", "archive", "asterisk_prompts", "fillets", "wordnet", "texts_ru"} & names
    for name in names:
        module = corpus.load(name)
        assert module.LICENCE and isinstance(module.PARTS, tuple)
