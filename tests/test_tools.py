"""The commands do what they promise, and say in one line what is missing."""

import ast
import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import commands, environment, notebooks, planted_faults

ROOT = Path(__file__).resolve().parents[1]


# --- course.py: any Python is told what it is --------------------------------------------------------------


def test_an_old_python_can_read_the_runner():
    source = (ROOT / "tools/course.py").read_bytes()
    source.decode("ascii")
    tree = ast.parse(source, feature_version=(3, 0))
    new = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.Match, ast.AsyncFunctionDef)
    assert not [node for node in ast.walk(tree) if isinstance(node, new)]
    assert not re.search(rb"\bprint\b", source)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 18), (3, 10, 1)])
def test_an_old_python_is_told_so_in_one_line(version):
    pretend = f"import runpy, sys; sys.version_info = {version}; runpy.run_path('tools/course.py')"
    done = subprocess.run([sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"course: Python {version[0]}.{version[1]} is too old: install Python 3.11 or newer (python.org, or "
        "your package manager), then name it: make lab PYTHON=python3.12"
    ]


def test_help_lists_every_command(capsys):
    assert commands.main([]) == commands.main(["help"]) == commands.main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in commands.COMMANDS:
        assert re.search(rf"^  {name} ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], "there is no command fly"),
        (["lab", "FRESH"], "lab takes BROWSER=..., FRESH=..., PORT=..., not FRESH."),
        (["lab", "COLOUR=red"], "not COLOUR=red"),
        (["test", "ONLY=01"], "test takes nothing, not ONLY=01."),
        (["lab", "PORT=http"], "PORT=http: must be a number from 1 to 65535"),
        (["lab", "PORT=65536"], "PORT=65536: must be a number from 1 to 65535"),
        (["nbval", "ONLY=99"], "ONLY=99: there is no such notebook; there are 00, 01"),
    ],
)
def test_mistake_is_answered_in_one_line(arguments, words, capsys):
    assert commands.main(arguments) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("course: ")
    assert words in line


def test_interruption_is_no_traceback(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(commands.COMMANDS, "clean", interrupt)
    assert commands.main(["clean"]) == 130
    assert "call again" in capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_passes_its_variables_on():
    command = ["make", "-n", "lab", "PORT=9000", "FRESH=01", "PYTHON=py"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=ROOT, env=outside, check=True, capture_output=True, text=True)
    said = done.stdout.split()
    assert said[:3] == ["py", "tools/course.py", "lab"]
    assert set(said[3:]) == {"PORT=9000", "FRESH=01"}


# --- commands ----------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Return a small published course, beside which a learner's copy can be made."""
    monkeypatch.setattr(commands, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(commands, "MY_COURSE", tmp_path / "my_course")
    (tmp_path / "notebooks/data").mkdir(parents=True)
    (tmp_path / "notebooks/.ipynb_checkpoints").mkdir()
    (tmp_path / "notebooks/.ipynb_checkpoints/00_start.ipynb").write_text("old")
    for name in ("00_start.ipynb", "01_one.ipynb", "01b_more.ipynb", "data/measured.json"):
        (tmp_path / "notebooks" / name).write_text(f"published {name}")
    return tmp_path / "my_course"


def files(folder):
    """Return what a folder holds: name -> text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_copy_holds_the_notebooks_and_what_they_read(course):
    commands.copy_notebooks()
    names = ("00_start.ipynb", "01_one.ipynb", "01b_more.ipynb", "data/measured.json")
    assert files(course) == {name: f"published {name}" for name in names}


def test_copy_overwrites_nothing(course):
    commands.copy_notebooks()
    (course / "01_one.ipynb").write_text("mine")
    (course / "01b_more.ipynb").unlink()
    commands.copy_notebooks()
    assert files(course)["01_one.ipynb"] == "mine"
    assert files(course)["01b_more.ipynb"] == "published 01b_more.ipynb"


def test_fresh_restores_one_notebook_and_keeps_every_backup(course, capsys):
    commands.copy_notebooks()
    before = files(course)
    for mine in ("first", "second"):
        (course / "01_one.ipynb").write_text(mine)
        (course / "00_start.ipynb").write_text("mine too")
        commands.copy_notebooks("01")
    backups = {"01_one.backup-1.ipynb": "first", "01_one.backup-2.ipynb": "second"}
    assert files(course) == before | backups | {"00_start.ipynb": "mine too"}
    assert "01_one.backup-2.ipynb" in capsys.readouterr().out


def test_fresh_without_changes_makes_no_backup(course):
    commands.copy_notebooks()
    before = files(course)
    commands.copy_notebooks("01b")
    assert files(course) == before


def test_fresh_names_what_there_is(course):
    with pytest.raises(environment.CourseError, match="there is no such notebook; there are 00, 01, 01b"):
        commands.copy_notebooks("7")


def test_interrupted_copy_is_made_again(course, monkeypatch):
    def interrupted(source, target):
        Path(target).write_text("half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            commands.copy_notebooks()
    commands.copy_notebooks()
    assert "half" not in {text for name, text in files(course).items() if name.endswith(".ipynb")}


def test_port_in_use_is_said():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(environment.CourseError, match=f"PORT={port} is in use"):
            commands.free_port(str(port))
    assert commands.free_port(str(port)) == [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]


def test_lab_keeps_its_token_and_stays_on_this_machine(course, monkeypatch):
    started = []

    def start(python, command):
        started.extend(command)
        raise SystemExit

    monkeypatch.setattr(commands, "environment", lambda *extras: "python")
    monkeypatch.setattr(commands.os, "execv", start)
    monkeypatch.setattr(commands.os, "name", "posix")
    with pytest.raises(SystemExit):
        commands.main(["lab", "BROWSER=no", "PORT="])
    assert started[:3] == ["python", "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in started
    assert "--no-browser" in started
    assert "--LabApp.default_url=/lab/tree/my_course/00_start_here.ipynb" in started
    assert not any(re.search("token|password|port", word) for word in started)


@pytest.mark.parametrize(("covered", "status"), [(95, 0), (94, 1)])
def test_branches_of_the_library_must_be_taken(covered, status, tmp_path):
    report = tmp_path / "coverage.json"
    assert commands.too_few_branches(report) == 1
    report.write_text(json.dumps({"totals": {"covered_branches": covered, "num_branches": 100}}))
    assert commands.too_few_branches(report) == status


@pytest.mark.parametrize(("failed", "too_few"), [(0, 0), (1, 0), (0, 1)])
def test_test_runs_everything(failed, too_few, monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "pytest", lambda *words: ran.append([*map(str, words)]) or failed)
    monkeypatch.setattr(commands, "too_few_branches", lambda report: too_few)
    assert commands.main(["test"]) == max(failed, too_few)
    (arguments,) = ran
    assert arguments[:3] == ["tests", "course_lib", str(commands.NOTEBOOKS)]
    assert {"--cov", "--nbval", "--nbval-current-env"} <= set(arguments)
    assert "--nbval-lax" not in arguments
    assert " ".join(commands.WORKERS) in " ".join(arguments)


def test_the_longest_files_come_first():
    names = ["tests/test_a.py", "notebooks/01.ipynb", "tests/notebooks/test_solutions.py", "course_lib/a.py"]
    items = [types.SimpleNamespace(path=Path(name), get_closest_marker=lambda mark: None) for name in names]
    runpy.run_path(str(commands.ROOT / "conftest.py"))["pytest_collection_modifyitems"](items)
    assert [item.path.as_posix() for item in items] == [names[2], names[1], names[0], names[3]]


def test_a_worker_takes_one_thread_unless_a_setting_says_more(monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "environment", lambda *extras: "python")
    monkeypatch.setattr(commands, "run", lambda *_, **variables: ran.append(variables) or 0)
    assert commands.main(["nbval"]) == commands.main(["processors"]) == 0
    quick = {"OPENBLAS_THREAD_TIMEOUT": "4"}
    settings = [{"OPENBLAS_NUM_THREADS": "1"}, *commands.PROCESSORS.values()]
    assert ran == [quick | setting for setting in settings]


def test_processors_runs_every_setting(monkeypatch):
    ran = []
    monkeypatch.setattr(commands, "pytest", lambda *_, **variables: ran.append(variables) or len(ran) % 2)
    assert commands.main(["processors"]) == 1
    assert ran == list(commands.PROCESSORS.values())


# --- environment -------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return the list of environments made, instead of making them."""
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("numpy==2.1.0\n")
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "CONSTRAINTS", constraints)
    found = []

    def make(folder, course, constraints, anew=True):
        found.append((course.removeprefix(str(ROOT)), anew))
        environment.venv_python(folder).parent.mkdir(parents=True, exist_ok=True)
        environment.venv_python(folder).touch()

    monkeypatch.setattr(environment, "make", make)
    return found


def test_environment_is_made_once(made):
    assert environment.environment("lab") == str(environment.venv_python(environment.VENV))
    environment.environment("lab")
    assert made == [("[lab]", True)]


def test_environment_of_a_lecture_leaves_that_of_the_course_alone(made, tmp_path):
    environment.environment("lab")
    lecture = tmp_path / "lecture"
    assert environment.environment("lecture", folder=lecture) == str(environment.venv_python(lecture))
    environment.environment("lab")
    environment.environment("lecture", folder=lecture)
    assert made == [("[lab]", True), ("[lecture]", True)]


def test_environment_is_completed_in_place(made):
    environment.environment("lab")
    environment.environment("lab", "test")
    environment.environment("lab")
    assert made == [("[lab]", True), ("[lab,test]", False)]


def test_environment_is_made_anew_when_versions_change(made):
    environment.environment("lab", "test")
    environment.CONSTRAINTS.write_text("numpy==2.2.0\n")
    environment.environment("lab")
    assert made == [("[lab,test]", True), ("[lab]", True)]


def test_interrupted_environment_is_made_anew(made, monkeypatch):
    environment.environment("lab")

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.environment("test")
    environment.environment("test")
    assert made == [("[lab]", True), ("[test]", True)]


def test_environment_without_its_python_is_made_anew(made):
    environment.environment("lab")
    environment.venv_python(environment.VENV).unlink()
    environment.environment("lab")
    assert len(made) == 2


def test_jupyter_asks_nothing_when_it_opens(made):
    environment.environment("lab")
    path = environment.VENV / "share/jupyter/lab/settings/overrides.json"
    assert json.loads(path.read_text())["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def installer(monkeypatch, uv, fails=()):
    """Pretend to install; return the commands that would have been run."""
    ran = []

    def failure(command):
        ran.append(" ".join(command))
        return next((said for part, said in fails if part in ran[-1]), None)

    monkeypatch.setattr(environment, "failure", failure)
    monkeypatch.setattr(shutil, "which", lambda name: uv)
    return ran


def test_uv_is_used_where_it_is(monkeypatch, tmp_path):
    ran = installer(monkeypatch, "/bin/uv")
    environment.make(tmp_path / "venv", "course[lab]", "pins.txt")
    assert [command.split()[:2] for command in ran] == [["/bin/uv", "venv"]] + 2 * [["/bin/uv", "pip"]]
    assert all("--constraint pins.txt" in command for command in ran[1:])


def test_pip_is_used_elsewhere(monkeypatch, tmp_path):
    ran = installer(monkeypatch, None)
    environment.make(tmp_path / "venv", "course[lab]", "pins.txt")
    assert f"{sys.executable} -m venv" in ran[0]
    assert all(" -m pip install " in command and "--constraint pins.txt" in command for command in ran[1:])
    assert ran[-1].endswith("--no-build-isolation --editable course[lab]")


def test_pip_takes_over_from_a_uv_that_finds_no_index(monkeypatch, tmp_path, capsys):
    ran = installer(monkeypatch, "/bin/uv", [("/bin/uv pip", "error: Failed to fetch: `https://index`")])
    environment.make(tmp_path / "venv", "course[lab]", "pins.txt")
    assert " -m pip install " in ran[-1]
    assert "Trying pip" in capsys.readouterr().out


def test_nothing_is_made_anew_in_an_environment_that_is_only_completed(monkeypatch, tmp_path):
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv/kept").touch()
    ran = installer(monkeypatch, None)
    environment.make(tmp_path / "venv", "course[lab]", "pins.txt", anew=False)
    assert not any(" -m venv " in command for command in ran)
    assert (tmp_path / "venv/kept").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Retrying ... NewConnectionError(...)\nERROR: No matching distribution found", "no package index"),
        ("error: Failed to fetch: `https://x`\n  Caused by: dns error", "no package index"),
        ("ERROR: No matching distribution found for numpy==9", "Python 3.11, 3.12 or 3.13"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("a\nERROR: something odd\nhint: b", "the installation failed: ERROR: something odd"),
        ("only this", "the installation failed: only this"),
    ],
)
def test_installer_is_explained_in_one_line(said, words, monkeypatch, tmp_path):
    installer(monkeypatch, None, [("pip", said)])
    with pytest.raises(environment.CourseError) as error:
        environment.make(tmp_path / "venv", "course[lab]", "pins.txt")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_python_without_venv_is_told_what_to_install(module, monkeypatch, tmp_path):
    installer(monkeypatch, None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(environment.CourseError, match=r"sudo apt install python3\.\d+-venv\), or uv"):
        environment.make(tmp_path / "venv", "course[lab]", "pins.txt")


def test_only_a_virtual_environment_is_deleted(tmp_path):
    (tmp_path / "precious.txt").touch()
    with pytest.raises(environment.CourseError, match="is no virtual environment: move it away"):
        environment.remove(tmp_path)
    (tmp_path / "pyvenv.cfg").touch()
    environment.remove(tmp_path)
    assert not tmp_path.exists()
    environment.remove(tmp_path)


# --- notebooks ---------------------------------------------------------------------------------------------


def stored(path, *sources, tags=()):
    """Write a notebook as an editor leaves it, one code cell for each source."""
    cells = [new_markdown_cell("# Title", id="title", metadata={"trusted": True})]
    for number, source in enumerate(sources):
        cell = new_code_cell(source, id=f"code-{number}", execution_count=7 + number)
        cell.metadata = nbformat.from_dict({"tags": list(tags), "execution": {"iopub.status.idle": "2025"}})
        cells.append(cell)
    info = {"name": "python", "version": "3.11.2", "codemirror_mode": {"name": "ipython"}}
    metadata = {"language_info": info, "widgets": {"state": {}}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


WIDGET = f"""from IPython.display import display
display({{"text/plain": "Live view: x", "{notebooks.WIDGET_VIEW}": {{"model_id": "ab"}}}}, raw=True)"""
SURROUNDINGS = """import os, sys
print(os.path.basename(os.getcwd()), os.path.exists(os.environ["COURSE_PROGRESS"]))
assert sys.executable == {!r} and "MPLBACKEND" in os.environ and os.environ["MPLBACKEND"] != "agg" """


def test_notebook_is_executed_and_stored_in_one_form(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MPLBACKEND", "agg")
    surroundings = SURROUNDINGS.format(sys.executable)
    path = stored(tmp_path / "a.ipynb", "print(1)\nprint(2)", WIDGET, surroundings, "6 * 7")
    assert notebooks.main([str(path)]) == 0
    once = path.read_bytes()
    assert notebooks.main([str(path)]) == 0
    assert path.read_bytes() == once
    assert re.fullmatch(r"(a\.ipynb: \d+\.\d s\n){2}", capsys.readouterr().out)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == notebooks.METADATA
    assert [cell.id for cell in notebook.cells] == ["title", "code-0", "code-1", "code-2", "code-3"]
    assert [cell.metadata for cell in notebook.cells] == [{}] * 5
    code = notebook.cells[1:]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert [(output.name, output.text) for output in code[0].outputs] == [("stdout", "1\n2\n")]
    assert code[1].outputs[0].data == {"text/plain": "Live view: x"}
    assert code[2].outputs[0].text == f"{tmp_path.name} False\n"
    assert code[3].outputs[0].execution_count == 4
    assert once.endswith(b"}\n")
    assert once.startswith(b'{\n "cells"')
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("sources", "tags", "words"),
    [
        (["x = 1", "1 / 0"], [], "cell 'code-1' (number 3) raised ZeroDivisionError: division by zero"),
        (["import time\ntime.sleep(60)"], [], "cell 'code-0' (number 2) took more than 2 s"),
        (["import os\nos._exit(1)"], [], "the kernel died in cell 'code-0' (number 2)"),
        (["MEASURE = True"], ["timing"], "must hold `MEASURE = False`"),
        (["MEASURE = False\nprint(1)"], ["timing"], "it must print nothing"),
    ],
    ids=["error", "timeout", "death", "switched-on", "measured"],
)
def test_notebook_that_fails_is_left_as_it_was(sources, tags, words, tmp_path, capsys):
    path = stored(tmp_path / "a.ipynb", *sources, tags=tags)
    before = path.read_bytes()
    assert notebooks.main([str(path), "--timeout", "2"]) == 1
    assert path.read_bytes() == before
    assert words in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_is_no_notebook_is_named(tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text("{")
    assert notebooks.main([str(tmp_path / "a.ipynb"), "--no-run"]) == 1
    assert notebooks.main([str(tmp_path / "b.ipynb"), "--no-run"]) == 1
    assert re.findall(r"^(\w)\.ipynb: not stored", capsys.readouterr().out, re.MULTILINE) == ["a", "b"]


def test_normalising_keeps_what_the_author_set():
    cell = new_code_cell("x", id="kept", execution_count=5)
    cell.metadata = nbformat.from_dict(
        {
            "tags": ["solution"],
            "exercise": "01.2",
            "jupyter": {"source_hidden": True, "outputs_hidden": False},
            "scrolled": True,
        }
    )
    notebook = notebooks.normalise(new_notebook(cells=[cell, new_code_cell("y", id="not-run")]))
    kept, not_run = notebook.cells
    assert kept.metadata == {"tags": ["solution"], "exercise": "01.2", "jupyter": {"source_hidden": True}}
    assert (kept.id, kept.execution_count, not_run.execution_count) == ("kept", 1, None)


# --- planted faults ----------------------------------------------------------------------------------------

MODULE = '''"""A module."""

__all__ = ["close", "flag"]


def close(a: int | None, b, tol=0.5):
    """Return whether they are close, 3 - 2."""
    return abs(a - b) <= (
        tol
    ) and not a == -1


def flag():
    return True


def _private(x):
    x += 1
    return x[0] ** 2 if x is not None else 2.0
'''


def faults_of(source):
    """Return the lines that the faults of a module change: (function, before, after)."""
    found = planted_faults.Finder("course_lib/m.py", source).found
    return {(fault.function, fault.before.strip(), fault.after.strip()) for fault in found}


def test_every_operator_comparison_and_constant_is_a_fault():
    body = "return abs(a - b) <= ("
    assert faults_of(MODULE) == {
        ("close", "def close(a: int | None, b, tol=0.5):", "def close(a: int | None, b, tol=1.0):"),
        ("close", body, "return abs(a + b) <= ("),
        ("close", body, "return abs(a - b) < ("),
        ("close", ") and not a == -1", ") or not a == -1"),
        ("close", ") and not a == -1", ") and a == -1"),
        ("close", ") and not a == -1", ") and not a != -1"),
        ("close", ") and not a == -1", ") and not a == 1"),
        ("close", ") and not a == -1", ") and not a == -2"),
        ("flag", "return True", "return False"),
        ("_private", "x += 1", "x -= 1"),
        ("_private", "x += 1", "x += 2"),
        *(
            ("_private", "return x[0] ** 2 if x is not None else 2.0", after)
            for after in (
                "return x[1] ** 2 if x is not None else 2.0",
                "return x[0] * 2 if x is not None else 2.0",
                "return x[0] ** 3 if x is not None else 2.0",
                "return x[0] ** 2 if x is None else 2.0",
                "return x[0] ** 2 if x is not None else 4.0",
            )
        ),
    }


def test_columns_are_right_behind_letters_of_more_than_one_byte():
    source = 'def f(a, b):\n    return "λ²", a + b\n'
    assert ("f", 'return "λ²", a + b', 'return "λ²", a - b') in faults_of(source)


def test_one_fault_is_drawn_in_each_public_function():
    faults = planted_faults.all_faults()
    assert len(faults) > 300
    drawn = planted_faults.draw(faults, 60, seed=1)
    assert len(drawn) >= 60
    assert len(set(drawn)) == len(drawn)
    public = {(fault.file, fault.function) for fault in faults if fault.public}
    assert public <= {(fault.file, fault.function) for fault in drawn}
    assert drawn == planted_faults.draw(faults, 60, seed=1) != planted_faults.draw(faults, 60, seed=2)


def test_listed_equivalent_faults_exist_and_have_a_reason():
    known = {fault.key for fault in planted_faults.all_faults()}
    for key, reason in planted_faults.equivalents().items():
        assert key in known
        assert len(reason.split()) > 3


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a tiny library: f is tested, g is not, and of the module n nothing is."""
    (tmp_path / "course_lib").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "course_lib/m.py").write_text("def f(a):\n    return -a\n\n\ndef g(a):\n    return -a\n")
    (tmp_path / "course_lib/n.py").write_text("def h(a):\n    return -a\n")
    test = "from course_lib.m import f\n\n\ndef test_f():\n    assert f(1) == -1\n"
    (tmp_path / "tests/test_m.py").write_text(test)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(planted_faults, "ROOT", tmp_path)
    monkeypatch.setattr(planted_faults, "EQUIVALENT", tmp_path / "equivalent.toml")
    return tmp_path


def remember_runs(monkeypatch):
    """Run the same tests of the same files only once."""
    run_tests, results = planted_faults.run_tests, {}

    def remembered(copy, tests, timeout):
        key = (*tests, *(path.read_bytes() for path in sorted(copy.rglob("*.py"))))
        if key not in results:
            results[key] = run_tests(copy, tests, timeout)
        return results[key]

    monkeypatch.setattr(planted_faults, "run_tests", remembered)


def test_survivors_are_reported_unless_they_are_listed(repository, capsys, monkeypatch):
    source = (repository / "course_lib/m.py").read_bytes()
    remember_runs(monkeypatch)
    assert planted_faults.main(["--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert said.count("noticed by tests/test_m.py::test_f") == 1
    assert "3 faults planted, 2 survived" in said
    assert (repository / "course_lib/m.py").read_bytes() == source
    entry = "[[fault]]\nfile = 'course_lib/{}.py'\nfunction = '{}'\nbefore = 'return -a'\n"
    entry += "after = 'return a'\nreason = 'nobody calls it'\n"
    both = entry.format("m", "g") + entry.format("n", "h")
    planted_faults.EQUIVALENT.write_text(both)
    assert planted_faults.main(["--jobs", "1"]) == 0
    assert capsys.readouterr().out.count("equivalent: nobody calls it") == 2
    planted_faults.EQUIVALENT.write_text(both + entry.format("m", "gone"))
    assert planted_faults.main(["--jobs", "1"]) == 1
    assert "there is no such line any more: ('course_lib/m.py', 'gone'" in capsys.readouterr().out


def test_faults_are_not_planted_where_the_tests_fail_anyway(repository, capsys):
    (repository / "tests/test_m.py").write_text("def test_f():\n    assert False\n")
    assert planted_faults.main(["--jobs", "1"]) == 1
    assert "the tests fail without any fault: tests/test_m.py::test_f" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "NOTEBOOK is missing: say which lecture, e.g. NOTEBOOK=03"),
        (["NOTEBOOK=99"], "NOTEBOOK=99: there is no such notebook"),
        (["NOTEBOOK=02", "PORT=0"], "PORT=0: must be a number"),
    ],
)
def test_lecture_says_what_is_missing_before_anything_is_made(options, said, made, capsys):
    assert commands.main(["lecture", *options]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"course: {said}")
    assert made == []


def test_lecture_opens_the_notebook_in_an_environment_of_its_own(made, monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(commands, "CACHE", tmp_path / ".cache")
    monkeypatch.setattr(commands, "run", lambda *command, **variables: ran.append(command) or 0)
    assert commands.main(["lecture", "NOTEBOOK=02", "BROWSER=no"]) == 0
    assert made == [("[lecture]", True)]
    ((python, tool, notebook, *options),) = ran
    assert (tool, notebook.name, options) == (
        "tools/lecture.py",
        "02_gradient_descent_and_sgd.ipynb",
        ["--no-browser"],
    )
    assert ".cache" in python
