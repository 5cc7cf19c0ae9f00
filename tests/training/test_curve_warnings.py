from cascade.training.curve_warnings import hint


def rows(*figures):
    """Rows of train.jsonl: training loss, loss on valid, PER; 100 steps apart."""
    return [
        {"step": 100 * n, "loss": {"ru": train}, "valid_loss": loss, "valid_per": per}
        for n, (train, loss, per) in enumerate(figures, 1)
    ]


def test_a_good_curve_needs_no_word():
    history = rows((3, 3, 100), (2, 2, 60), (1, 1.5, 30), (0.8, 1.55, 29))
    assert all(hint(history[:n], 400) is None for n in range(1, 5))


def test_blanks_only_are_named_once_and_not_too_soon():
    history = rows(*[(3.4, 3.4, 100.0)] * 5)
    assert hint(history[:2], 1000) is None
    assert "blanks only" in hint(history[:3], 1000)
    assert hint(history[:4], 1000) is None
    assert hint(rows((3.4, 3.4, 148.4)), 100) is None  # it inserts


def test_learning_by_heart_is_named():
    history = rows((3, 3, 90), (1, 1.5, 40), (0.5, 1.6, 40), (0.2, 1.9, 41))
    assert hint(history[:3], 400) is None
    assert "learns by heart" in hint(history, 400)
