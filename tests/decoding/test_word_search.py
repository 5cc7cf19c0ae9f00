import json

import pytest

from cascade.config.sections import Decode
from cascade.decoding.word_search import search_settings
from cascade.runtime.errors import UserError
from cascade.runtime.files import write_json


def test_tuned_scales_replace_the_recipes(tmp_path):
    path = tmp_path / "decode_phones.json"
    scales = {"acoustic_scale": 1.4, "blank_penalty": -1, "word_penalty": 2}
    write_json(path, {"found": scales, "trials": []})
    assert search_settings(Decode(beam=9.0, nbest=3), path) == Decode(
        beam=9.0, nbest=3, acoustic_scale=1.4, blank_penalty=-1.0, word_penalty=2.0
    )
    path.write_text(json.dumps({"found": {}}))
    with pytest.raises(UserError, match=r"decode_phones\.json cannot be read, or lacks the scales"):
        search_settings(Decode(), path)
