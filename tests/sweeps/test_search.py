from cascade.sweeps.search import markdown


def rows(rates):
    """Entries of a search: rates on valid, by dropout, the seeds' one after another."""
    return [
        {"system": "plain", "train.dropout": value, "seed": seed, "valid_per": rate, "best_step": 9}
        for value, each in rates.items()
        for seed, rate in enumerate(each)
    ]


def test_the_best_is_the_least_mean():
    text = markdown("mine", rows({0.1: [30.0, 32.0], 0.3: [29.0, 31.0]}), 4)
    assert text.startswith("# Search of mine over train.dropout\n\n4 of 4 points")
    assert "| **30.00 (29.00 to 31.00)** |" in text and "| 31.00 (30.00 to 32.00)     |" in text
    assert "  plain: {train: {dropout: 0.3}}\n" in text and "missing" not in text


def test_a_setting_without_all_seeds_is_named_and_not_the_best():
    text = markdown("mine", rows({0.1: [30.0, 32.0], 0.3: [29.0]}), 4)
    assert "\n\n**Some seeds are missing**: 0.3 (only 0).\n\n" in text
    assert "  plain: {train: {dropout: 0.1}}\n" in text
