"""What comes from npm is exactly what tools/vendor.py names, and is there whole or not at all."""

import re
import sys
import tarfile

import pytest

from tools import vendor
from tools.environment import CourseError


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Put a program in npm's place that packs one small package; return what was asked of it."""
    content = tmp_path / "it.js"
    content.write_text("1 + 1")
    asked = []

    def fetched(spec, folder):
        asked.append(spec)
        with tarfile.open(folder / "it.tgz", "w:gz") as archive:
            archive.add(content, "package/dist/it.js")
        return folder / "it.tgz"

    monkeypatch.setattr(vendor, "FOLDER", tmp_path / "npm")
    monkeypatch.setattr(vendor, "PACKAGES", {"@some/it": ("1.2.3", "sha512-right")})
    monkeypatch.setattr(vendor, "checksum_of", lambda path: "sha512-right")
    monkeypatch.setattr(vendor, "fetched", fetched)
    return asked


def test_a_package_is_fetched_once(pack):
    folder = vendor.package("@some/it")
    assert folder == vendor.FOLDER / "@some-it-1.2.3"
    assert (folder / "dist/it.js").read_text() == "1 + 1"
    assert vendor.package("@some/it") == folder
    assert pack == ["@some/it@1.2.3"]
    assert list(vendor.FOLDER.iterdir()) == [folder]


def test_another_file_is_refused_and_leaves_nothing(pack, monkeypatch):
    monkeypatch.setattr(vendor, "checksum_of", lambda path: "sha512-wrong")
    with pytest.raises(CourseError, match=r"some/it 1\.2\.3 .* is not the file .*: sha512-wrong"):
        vendor.package("@some/it")
    assert list(vendor.FOLDER.iterdir()) == []


def test_an_interruption_leaves_nothing(pack, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tarfile.TarFile, "extractall", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vendor.package("@some/it")
    assert list(vendor.FOLDER.iterdir()) == []


def test_whoever_comes_second_takes_what_is_there(pack, monkeypatch):
    first = vendor.fetched

    def slower(spec, folder):
        there = vendor.FOLDER / "@some-it-1.2.3"
        there.mkdir()
        (there / "of the other").touch()
        return first(spec, folder)

    monkeypatch.setattr(vendor, "fetched", slower)
    assert (vendor.package("@some/it") / "of the other").exists()


def test_the_checksum_is_written_as_npm_writes_it(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    expected = "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
    assert vendor.checksum_of(tmp_path / "file") == f"sha512-{expected}"
    for name, (version, checksum) in vendor.PACKAGES.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert re.fullmatch(r"sha512-[\w+/]{86}==", checksum), name


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (None, "npm is missing: install Node.js"),
        (
            "print('npm error code E404', file=sys.stderr); sys.exit(1)",
            r"it@1\.2\.3 \(code E404\): check the",
        ),
        ("sys.exit(1)", "no reason given"),
    ],
)
def test_what_is_wrong_with_npm_is_said_in_one_line(program, words, monkeypatch, tmp_path):
    run = vendor.subprocess.run

    def npm(command, **options):
        return run([sys.executable, "-c", f"import sys; {program}", *command[1:]], **options)

    monkeypatch.setattr(vendor.shutil, "which", lambda *_, **__: program and "npm")
    monkeypatch.setattr(vendor.subprocess, "run", npm)
    with pytest.raises(CourseError, match=words) as caught:
        vendor.fetched("it@1.2.3", tmp_path)
    assert "\n" not in str(caught.value)
