"""What the website is made of; that it works in a browser is tested in tests/browser."""

import json
import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import commands, lite, site
from tools.environment import CourseError

ROOT = Path(__file__).resolve().parents[1]


# --- what a browser lacks ----------------------------------------------------------------------------------

BLOCKED = """
import ast, importlib, pkgutil, sys
from pathlib import Path

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in LACKING:
            raise ModuleNotFoundError(f"a browser has no {name}", name=name)

LACKING = set(sys.argv[2].split())
sys.meta_path.insert(0, Lacking())
for path in sorted(Path("notebooks").glob("[!.]*.ipynb")):
    import nbformat
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    for node in ast.walk(ast.parse(cells[0])):
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node))
import course_lib
for module in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
    importlib.import_module(module.name)
print(len(LACKING & set(sys.modules)), "of", len(LACKING))
"""


def test_nothing_that_a_browser_lacks_is_imported_at_the_start():
    lacking = "pooch joblib tqdm lzma _lzma dask distributed imageio_ffmpeg"
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, "-", lacking], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "0 of 8\n", done.stderr[-800:]


# --- pages -------------------------------------------------------------------------------------------------


def picture(alt):
    return new_output(
        "display_data", {"image/png": "", "text/plain": alt}, metadata={"image/png": {"alt": alt}}
    )


def cell(*outputs, tags=(), source="1"):
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def page(*cells):
    return site.page(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), "09_some").cells


def test_a_picture_has_its_caption_as_alternative():
    assert page(cell(picture("It falls.")))[2].metadata["mystnb"]["image"]["alt"] == "It falls."


def test_two_pictures_in_a_cell_are_refused_as_only_one_could_be_described():
    with pytest.raises(CourseError, match="more than one picture"):
        page(cell(picture("One."), picture("Two.")))


def test_a_solution_is_folded():
    folded = page(cell(tags=["solution"]))[2]
    assert folded.metadata["tags"] == ["solution", "hide-cell"]
    assert folded.metadata["mystnb"]["code_prompt_show"] == "Show the solution"
    assert "hide-cell" not in page(cell(tags=["stub"]))[2].metadata["tags"]


def test_page_and_live_views_point_to_the_live_version():
    _, first, live = page(cell(picture("A ball."), tags=["live"]))
    address = 'href="lite/lab/index.html?path=09_some.ipynb"'
    assert address in first.source
    assert address in live.outputs[-1].data["text/html"]


def test_links_to_headings_are_written_as_sphinx_writes_them():
    found = page(new_markdown_cell("[map](#The-Map), [next](10_Next.ipynb), `x[0](#A)`"))[2].source
    assert found.startswith("[map](#the-map), [next](10_Next.ipynb)")


def test_the_front_page_has_the_readmes_table():
    rows = site.table().splitlines()
    assert rows[0].startswith("| |")
    for path in lite.notebooks():
        assert any(f"]({path.name})" in row for row in rows), path.name


def test_a_folder_with_something_else_is_never_replaced(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(CourseError, match="something else"):
        site.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_site_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "write_pages", lambda folder, *_: (folder.mkdir(), (folder / "new").touch()))
    monkeypatch.setattr(site, "write_lite", lambda folder, *_: None)
    to = tmp_path / "site"
    assert site.build(to) == to
    (to / "old").touch()
    assert {path.name for path in site.build(to).iterdir()} == {"new", site.MARK}

    def fail(*_):
        raise CourseError("no")

    (to / "old").touch()
    monkeypatch.setattr(site, "write_lite", fail)
    with pytest.raises(CourseError):
        site.build(to)
    assert (to / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_the_command_hands_its_options_on(monkeypatch):
    asked = []
    monkeypatch.setattr(commands, "environment", lambda *extras: asked.append(extras) or "python")
    monkeypatch.setattr(commands, "run", lambda *command: asked.append(command) or 0)
    assert commands.main(["site", "TO=out", "PYODIDE=here", "REPOSITORY=some/thing"]) == 0
    assert commands.main(["site", "PYODIDE=ftp://there/"]) == 0
    here = Path("here").absolute()
    assert asked[0] == ("site",)
    assert asked[1][2:] == (Path("out").absolute(), "--pyodide", here, "--repository", "some/thing")
    assert asked[3][2:] == (ROOT / "site", "--pyodide", "ftp://there/")


def test_a_failure_is_one_line(tmp_path, capsys):
    (tmp_path / "letter.txt").write_text("Dear")
    assert site.main([str(tmp_path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("course: TO=")


def test_a_command_that_fails_is_quoted():
    with pytest.raises(CourseError, match=r"failed: no such thing"):
        lite.run([sys.executable, "-c", "raise SystemExit('no such thing')"])


# --- Python for the browser ---------------------------------------------------------------------------------


def wheel(folder, name, *requirements, number="1.0", files=("{}/__init__.py",)):
    path = folder / f"{name}-{number}-py3-none-any.whl"
    lines = [f"Name: {name}", f"Version: {number}", *(f"Requires-Dist: {one}" for one in requirements)]
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file.format(name), "")
        archive.writestr(f"{name}-{number}.dist-info/METADATA", "\n".join(lines))
    return path


def package(name, *depends, number="1.0"):
    return {"depends": list(depends), "file_name": f"{name}.whl", "name": name, "version": number}


def test_a_wheel_is_described_as_a_browser_needs_it(tmp_path):
    wanted = ("Else_Where>=2", "psutil; sys_platform != 'emscripten'", "old; python_version < '3.12'")
    path = wheel(
        tmp_path, "some_thing", *wanted, "extra; extra == 'more'", "pooch", files=("{}/a.py", "one.py")
    )
    entry, needed = lite.describe(path, "3.14.0")
    assert entry["depends"] == ["else-where"]
    assert entry["imports"] == ["one", "some_thing"]
    assert (entry["name"], entry["version"]) == ("some-thing", "1.0")
    assert [str(one) for one in needed] == ["Else_Where>=2", "pooch"]


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """A Pyodide of three packages, a course that needs two of them and a third of its own, and a kernel."""
    source = tmp_path / "pyodide"
    source.mkdir()
    packages = {name: package(name) for name in ("numpy", "scipy", "micropip")}
    packages["scipy"] = package("scipy", "numpy")
    lock = {"info": {"python": "3.14.0"}, "packages": packages}
    (source / "pyodide-lock.json").write_text(json.dumps(lock))
    for name in [*lite.CORE, *(entry["file_name"] for entry in packages.values())]:
        (source / name).write_text(name)
    made = tmp_path / "made"
    made.mkdir()
    monkeypatch.setattr(
        lite, "build_wheel", lambda _: wheel(made, "course_lib", "numpy>=1", "tqdm", "joblib")
    )
    monkeypatch.setattr(lite, "download", lambda name: wheel(made, name))
    monkeypatch.setattr(lite, "PACKAGES", ["course-lib", "micropip"])
    folder = tmp_path / "lite"
    kernel = folder / "extensions" / lite.KERNEL / "static" / "pypi"
    kernel.mkdir(parents=True)
    for number in ("3.9", "4.10"):
        wheel(kernel, "widgets", number=number)
    (folder / "jupyter-lite.json").write_text(json.dumps({"jupyter-config-data": {"appName": "It"}}))
    return types.SimpleNamespace(source=source, folder=folder)


def written(folder):
    config = json.loads((folder / "jupyter-lite.json").read_text())["jupyter-config-data"]
    return config["litePluginSettings"][f"{lite.KERNEL}:kernel"], json.loads(
        (folder / "wheels/pyodide-lock.json").read_text()
    )["packages"]


def test_a_local_pyodide_is_copied_as_far_as_it_is_needed(distribution, tmp_path):
    folder = distribution.folder
    lite.write_python(folder, tmp_path, str(distribution.source))
    settings, packages = written(folder)
    assert settings["pyodideUrl"] == "./pyodide/pyodide.mjs"
    assert settings["disablePyPIFallback"] is True
    assert {path.name for path in (folder / "pyodide").iterdir()} == {*lite.CORE, "numpy.whl", "micropip.whl"}
    assert sorted(packages) == ["course-lib", "micropip", "numpy", "tqdm", "widgets"]
    for entry in packages.values():
        assert (folder / "wheels" / entry["file_name"]).exists(), entry
    assert packages["widgets"]["version"] == "4.10"
    assert len(list((folder / "wheels").glob("widgets*"))) == 1


def test_a_distant_pyodide_stays_where_it_is(distribution, tmp_path):
    folder, address = distribution.folder, distribution.source.as_uri()
    lite.write_python(folder, tmp_path, address + "/")
    settings, packages = written(folder)
    assert settings["pyodideUrl"] == f"{address}/pyodide.mjs"
    assert settings["disablePyPIFallback"] is False
    assert packages["scipy"]["file_name"] == f"{address}/scipy.whl"
    assert packages["course-lib"]["file_name"] == "course_lib-1.0-py3-none-any.whl"
    assert not (folder / "pyodide").exists()


def test_a_package_that_pyodide_has_in_too_old_a_version_is_brought_along(
    distribution, tmp_path, monkeypatch
):
    build = lite.build_wheel
    monkeypatch.setattr(lite, "build_wheel", lambda _: wheel(build(0).parent, "course_lib", "numpy>=2"))
    lite.write_python(distribution.folder, tmp_path, str(distribution.source))
    assert written(distribution.folder)[1]["numpy"]["file_name"] == "numpy-1.0-py3-none-any.whl"


def test_an_incomplete_pyodide_is_refused(distribution, tmp_path):
    (distribution.source / "numpy.whl").unlink()
    with pytest.raises(CourseError, match=r"numpy\.whl is missing"):
        lite.write_python(distribution.folder, tmp_path, str(distribution.source))


@pytest.mark.parametrize("place", ["nowhere", "file:///nowhere"])
def test_a_pyodide_that_is_not_there_is_said(place):
    with pytest.raises(CourseError, match=r"PYODIDE=.*nowhere: no pyodide-lock\.json"):
        lite.read_lock(place)


def test_wheels_come_in_the_version_that_is_installed_and_only_once(tmp_path, monkeypatch):
    asked = []

    def run(command):
        asked.append(command[-1])
        folder = Path(command[command.index("-d") + 1])
        folder.mkdir(parents=True)
        wheel(folder, "tqdm")

    monkeypatch.setattr(lite, "WHEELS", tmp_path)
    monkeypatch.setattr(lite, "run", run)
    monkeypatch.setattr(lite, "version", lambda name: "1.0")
    assert lite.download("tqdm") == lite.download("tqdm") == tmp_path / "tqdm-1.0/tqdm-1.0-py3-none-any.whl"
    assert asked == ["tqdm==1.0"]


def test_the_wheel_is_the_same_bytes_whoever_builds_it(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    first = lite.build_wheel(one).read_bytes()
    before = os.umask(0o077)
    try:
        again = lite.build_wheel(two)
        assert again.read_bytes() == first
    finally:
        os.umask(before)
    with zipfile.ZipFile(again) as wheel:
        modes = {one.external_attr >> 16 & 0o777 for one in wheel.infolist() if "course_lib/" in one.filename}
    assert modes == {0o644}  # whoever installs it, all may read it
