import numpy as np
import pytest

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.sections import Decode
from cascade.decoding import tune
from cascade.runtime.files import write_text_table


class Bowl:
    """Stands for valid: errors grow with the distance from planted settings.

    Of 50 utterances with 100 words, ``affected`` have one more for each 0.01 of distance.
    """

    def __init__(self, affected: int = 40, **best):
        self.best, self.affected = best, affected
        self.tokens = np.full(50, 100)
        self.speakers = ["one"] * 50
        self.asked = []

    def errors(self, settings: Decode) -> np.ndarray:
        self.asked.append(settings)
        away = sum(abs(getattr(settings, key) - value) for key, value in self.best.items())
        more = np.where(np.arange(50) < self.affected, round(100 * away), 0)
        return 10 + np.arange(50) % 3 + more


def test_the_search_finds_the_bottom():
    bowl = Bowl(acoustic_scale=0.7 * 1.4, blank_penalty=-1.0, word_penalty=2.0)
    best, trials = tune.search(bowl, Decode())
    assert best.blank_penalty == -1 and best.word_penalty == 2
    assert abs(best.acoustic_scale - 0.98) < 1e-9
    assert min(trial["WER"] for trial in trials) == 10.98
    assert trials[0]["acoustic_scale"] == Decode().acoustic_scale  # the beginning comes first


def test_nothing_is_tried_twice_and_nothing_else_changes():
    bowl = Bowl(acoustic_scale=0.7, blank_penalty=2.0, word_penalty=0.0)
    start = Decode(beam=9)
    best, trials = tune.search(bowl, start)
    assert best == start and len(trials) == 7  # the beginning, and two ways for each setting
    assert len(set(bowl.asked)) == len(bowl.asked)


def test_equal_settings_stay_where_they_are():
    class Flat:
        tokens, speakers = np.full(50, 2), ["one"] * 50

        def errors(self, settings):
            return np.ones(50, int)

    assert tune.search(Flat(), Decode())[0] == Decode()


@pytest.mark.parametrize(("affected", "taken"), [(1, False), (2, False), (20, True)])
def test_settings_stay_unless_others_are_better_by_more_than_chance(affected, taken):
    bowl = Bowl(affected, blank_penalty=3.0)
    start = Decode(blank_penalty=2.0)
    best, trials = tune.search(bowl, start)
    assert best.blank_penalty == (3.0 if taken else 2.0)
    assert trials[0]["WER"] > min(trial["WER"] for trial in trials) == 10.98


def test_the_best_of_many_equal_settings_is_seldom_taken():
    class Chance:
        """Stands for valid where all settings are equally good: one of seven utterances differs."""

        tokens, speakers = np.full(300, 10), ["one"] * 300

        def __init__(self, seed):
            self.random = np.random.default_rng(seed)
            self.base = self.random.integers(1, 5, 300)

        def errors(self, settings):
            changed = self.random.random(300) < 0.15
            return self.base + changed * self.random.choice([-1, 1], 300)

    taken = sum(tune.search(Chance(seed), Decode())[0] != Decode() for seed in range(60))
    assert taken <= 3  # of 60; 8 without the adjustment for the number of trials


def test_speakers_are_drawn_where_there_are_many():
    bowl = Bowl(20, blank_penalty=3.0)  # the errors of 20 of the 50 utterances differ
    bowl.speakers = [f"s{max(0, number - 19)}" for number in range(50)]  # all of one of 31 speakers
    assert tune.search(bowl, Decode(blank_penalty=2.0))[0].blank_penalty == 2.0


def test_settings_stay_with_a_few_utterances():
    bowl = Bowl(blank_penalty=3.0)
    bowl.tokens, bowl.speakers, errors = bowl.tokens[:2], bowl.speakers[:2], bowl.errors
    bowl.errors = lambda settings: errors(settings)[:2]
    assert tune.search(bowl, Decode())[0] == Decode()


def test_the_trials_of_phones_are_phone_error_rates():
    bowl = Bowl(acoustic_scale=1.4, blank_penalty=0.0, word_penalty=1.0)
    start = Decode(**tune.PHONES)
    best, trials = tune.search(bowl, start, "PER")
    assert (best.acoustic_scale, best.word_penalty) == (1.4, 1.0)
    assert trials[0] == {**tune.PHONES, "PER": 282.98} and "WER" not in trials[0]


def test_sets_that_use_the_same_names_keep_their_own_references(raw, read, tmp_path, monkeypatch):
    valid = next(d for d in raw["datasets"] if d["role"] == "valid")
    raw["datasets"].append({**valid, "name": "more"})
    layout = Layout(tmp_path, None, None)
    keys = [f"valid_ru_{name}" for name in (valid["corpus"], "more")]
    texts = {keys[0]: {"a": ["раз", "два"], "b": ["три"]}, keys[1]: {"a": ["семь"], "c": ["шесть"]}}
    for key, table in texts.items():
        write_text_table(layout.text(key, "words"), table)
        write_text_table(layout.text(key, "speakers"), {name: ["one"] for name in table})
    (tmp_path / "lang").mkdir(exist_ok=True)
    layout.words.write_text("<eps> 0\n", encoding="utf-8")

    class Outputs:
        """Stands for a network: the batches are not in the order of the sets."""

        def __init__(self, experiment, system, asked):
            assert asked == keys

        def batches(self):
            return iter([[3, 0], [2, 1]])

        def __call__(self, indices):
            return [("abac"[index], np.full((1, 1), index)) for index in indices]

    monkeypatch.setattr(tune, "NetworkOutputs", Outputs)
    valid = tune._Valid(Experiment(read(raw), layout), "plain", "words", 1)
    assert [log_probs.item() for log_probs in valid.log_probs] == [3, 0, 2, 1]
    assert valid.reference == [["шесть"], ["раз", "два"], ["семь"], ["три"]]
