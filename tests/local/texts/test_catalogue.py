import pytest
from support import catalogue_of

from cascade.runtime.errors import UserError
from local.texts import catalogue


def test_catalogue(tmp_path):
    texts = {"": "Language: ru", "a dog\0dogs": "собака\0собаки", "b": "бэ"}
    path = tmp_path / "a.mo"
    for order in "<>":
        path.write_bytes(catalogue_of(texts, order))
        assert list(catalogue.pairs(path)) == [("a dog", "собака"), ("b", "бэ")]
    for damaged in (b"", b"nonsense, and more of it, and more", path.read_bytes()[:-10]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"a\.mo is not a message catalogue"):
            list(catalogue.pairs(path))
