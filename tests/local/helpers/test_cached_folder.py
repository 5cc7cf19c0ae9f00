from pathlib import Path

import pytest

from local.helpers import cached_folder


def counted(calls: list[str], content: str = "a"):
    """Fills a folder with one file, and counts how often."""

    def fill(folder: Path) -> None:
        calls.append(content)
        (folder / content).touch()

    return fill


def test_a_folder_is_made_once(tmp_path):
    calls: list[str] = []
    for _ in range(2):
        made = cached_folder.provide(tmp_path / "x", "source 1", counted(calls))
        assert made == tmp_path / "x" and (made / "a").exists()
    assert calls == ["a"]


def test_another_source_makes_it_again(tmp_path):
    calls: list[str] = []
    cached_folder.provide(tmp_path / "x", "source 1", counted(calls))
    cached_folder.provide(tmp_path / "x", "source 2", counted(calls, "b"))
    assert calls == ["a", "b"]
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == [cached_folder.MARKER, "b"]


def test_an_interrupted_run_leaves_nothing_that_looks_complete(tmp_path):
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_folder.provide(tmp_path / "x", "source", interrupted)
    assert not (tmp_path / "x").exists()
    cached_folder.provide(tmp_path / "x", "source", counted([]))
    assert not (tmp_path / "x" / "half").exists()
    assert not (tmp_path / "x.partial").exists()


def test_a_damaged_file_names_the_folder_to_delete(tmp_path):
    folder = cached_folder.provide(tmp_path / "x", "source", counted([]))
    message = str(cached_folder.damaged(folder / "deep/er/a.txt", ", line 3 is empty"))
    assert message == (
        f"{folder}/deep/er/a.txt, line 3 is empty. Delete {folder} and run again: it will be made"
        " again."
    )
    assert f"Delete {folder} and" in str(cached_folder.damaged(folder, " has nothing"))
