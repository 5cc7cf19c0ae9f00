from cascade import tune
from cascade.sections import Decode


class Bowl:
    """Stands for valid: errors grow with the distance from planted settings."""

    def __init__(self, **best):
        self.best = best
        self.asked = []

    def rate(self, settings: Decode) -> float:
        self.asked.append(settings)
        return 10 + sum(abs(getattr(settings, key) - value) for key, value in self.best.items())


def test_the_search_finds_the_bottom():
    bowl = Bowl(acoustic_scale=0.7 * 1.4, blank_penalty=-1.0, word_penalty=2.0)
    found, trials = tune._search(bowl, Decode())
    assert found.blank_penalty == -1 and found.word_penalty == 2
    assert abs(found.acoustic_scale - 0.98) < 1e-9
    assert min(trial["WER"] for trial in trials) < 10.01
    assert trials[0]["acoustic_scale"] == Decode().acoustic_scale  # the beginning comes first


def test_nothing_is_tried_twice_and_nothing_else_changes():
    bowl = Bowl(acoustic_scale=0.7, blank_penalty=2.0, word_penalty=0.0)
    start = Decode(beam=9)
    found, trials = tune._search(bowl, start)
    assert found == start and len(trials) == 7  # the beginning, and two ways for each setting
    assert len(set(bowl.asked)) == len(bowl.asked)


def test_equal_settings_stay_where_they_are():
    class Flat:
        def rate(self, settings):
            return 50.0

    assert tune._search(Flat(), Decode())[0] == Decode()


def test_the_trials_of_phones_are_phone_error_rates():
    bowl = Bowl(acoustic_scale=1.4, blank_penalty=0.0, word_penalty=1.0)
    start = Decode(**tune.PHONES)
    found, trials = tune._search(bowl, start, "PER")
    assert (found.acoustic_scale, found.word_penalty) == (1.4, 1.0)
    assert trials[0] == {**tune.PHONES, "PER": 13.4} and "WER" not in trials[0]
