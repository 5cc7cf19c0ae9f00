"""The modules of local/ that are corpora."""

from cascade.corpora import corpus


def test_corpora_are_found():
    found = set(corpus.names())
    assert {"festvox_ru", "asterisk_ru", "asterisk_en", "fillets_cs", "synth_en", "table"} <= found
    assert {"games_en", "asterisk_it_menardi"} <= found
    assert not {"games_queen", "games_drascula", "games_sky", "game_lines", "rnc"} & found
    assert not {"debian", "archive", "asterisk_prompts", "fillets", "wordnet", "texts_ru"} & found
    for name in found:
        module = corpus.load(name)
        assert module.LICENCE and isinstance(module.PARTS, tuple)
