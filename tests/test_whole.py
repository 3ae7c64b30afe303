"""Files that are written whole or not at all, whatever fails."""

import os

import pytest

from course_lib import _whole
from course_lib._whole import write_whole


def test_content_folder_and_nothing_else(tmp_path):
    folder = tmp_path / "new" / "inner"
    write_whole(folder / "a.json", b"one")
    write_whole(str(folder / "a.json"), memoryview(b"two"))
    assert [(p.name, p.read_bytes()) for p in folder.iterdir()] == [("a.json", b"two")]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step, error):
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def fails(*arguments):
        raise error

    monkeypatch.setattr(_whole.os, step, fails)
    with pytest.raises(error):
        write_whole(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.json", b"old")]


def test_all_is_on_the_disk_before_the_file_takes_its_place(tmp_path, monkeypatch):
    seen, path = [], tmp_path / "a.json"
    fsync, replace = os.fsync, os.replace

    def synced(file):
        seen.append(("synced", (tmp_path / "a.json.part").read_bytes()))
        fsync(file)

    def replaced(*names):
        seen.append(("replaced", path.exists()))
        replace(*names)

    monkeypatch.setattr(_whole.os, "fsync", synced)
    monkeypatch.setattr(_whole.os, "replace", replaced)
    write_whole(path, b"content")
    assert seen == [("synced", b"content"), ("replaced", False)]


def test_an_interruption_just_after_the_file_took_its_place(tmp_path, monkeypatch):
    replace = os.replace

    def interrupted(*names):
        replace(*names)
        raise KeyboardInterrupt

    monkeypatch.setattr(_whole.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.json", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.json", b"new")]
