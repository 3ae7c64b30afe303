"""The commands behind ``python tools/course.py``: each returns an exit status, its docstring is its help."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tools.environment import CONSTRAINTS, ROOT, VENV, CourseError, environment, make, remove, venv_python

NOTEBOOKS = ROOT / "notebooks"
MY_COURSE = ROOT / "my_course"
CACHE = ROOT / ".cache"
CLASSROOM = ROOT / "benchmarks" / "classroom.py"
BRANCHES = 95  # per cent of course_lib's branches that the tests must take

# The stored outputs must hold on other processors: older kernels of the linear algebra, other numbers of
# threads, narrower vectors. tests/test_processors.py asserts that each setting changes bits on this machine.
PROCESSORS = {
    "an old processor, one thread": {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"},
    "narrow vectors, two threads": {
        "OPENBLAS_CORETYPE": "Haswell",
        "OPENBLAS_NUM_THREADS": "2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
    },
}

WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]  # conftest.py has put the longest first
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
NBVAL += [f"--nbval-sanitize-with={ROOT / 'tests/nbval_sanitize.cfg'}"]


def say(text):
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def run(*command, **variables):
    """Run a command in the repository with these environment variables added; return its exit status."""
    return subprocess.call([str(part) for part in command], cwd=ROOT, env=os.environ | variables)


def pytest(*arguments, **variables):
    """Run pytest in the environment; return its exit status.

    Unless told otherwise each worker takes one thread: those of two workers would wait for each other's.
    Where it has two, the one that has nothing to do gives back its core after 2**4 ticks, not 2**26.
    """
    variables = {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_THREAD_TIMEOUT": "4"} | variables
    return run(environment("lab", "test"), "-m", "pytest", *arguments, **variables)


def command_help(options):
    """Say what there is."""
    say("make COMMAND, or without make: python tools/course.py COMMAND\n")
    for name, command in COMMANDS.items():
        first, *rest = filter(None, map(str.strip, command.__doc__.splitlines()))
        say(f"  {name:<12} {first}")
        for line in rest:
            say(f"  {'':<12} {line}")
    return 0


def command_lab(options):
    """Open the course: JupyterLab with your own copy of the notebooks, in my_course/.

    FRESH=01 restores that notebook (yours is kept beside it); PORT=9000; BROWSER=no for servers.
    """
    port = free_port(options["PORT"]) if "PORT" in options else []
    python = environment("lab")
    copy_notebooks(options.get("FRESH"))
    command = [python, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", *port, f"--ServerApp.root_dir={ROOT}"]
    command.append(f"--LabApp.default_url=/lab/tree/{MY_COURSE.name}/00_start_here.ipynb")
    if options.get("BROWSER") == "no":
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container; bound to this machine anyway
        command.append("--allow-root")
    if os.name == "posix":
        os.execv(python, command)  # whoever stops this process stops JupyterLab
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab asks whether to stop
            continue


def free_port(port):
    """Return JupyterLab's options for this port, or raise CourseError if it is taken."""
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise CourseError(f"PORT={port}: must be a number from 1 to 65535, e.g. PORT=8888.")
    with socket.socket() as trial:
        trial.settimeout(1)
        if trial.connect_ex(("127.0.0.1", int(port))) == 0:
            raise CourseError(f"PORT={port} is in use (another JupyterLab?): choose another.")
    return [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]


def number_of(notebook):
    """Return what a learner calls a notebook: ``01`` for ``01_gradients.ipynb``."""
    return notebook.name.split("_")[0]


def named(number, option):
    """Return the notebook of that number."""
    found = {number_of(path): path for path in sorted(NOTEBOOKS.glob("[!.]*.ipynb"))}
    if number not in found:
        raise CourseError(f"{option}={number}: there is no such notebook; there are {', '.join(found)}.")
    return found[number]


def copy_notebooks(fresh=None):
    """Copy to ``my_course`` what is missing there; restore notebook `fresh`, keeping a backup beside it."""
    if fresh:
        source = named(fresh, "FRESH")
        mine = MY_COURSE / source.name
        if mine.exists() and mine.read_bytes() != source.read_bytes():
            count = 1 + len(list(MY_COURSE.glob(f"{mine.stem}.backup-*.ipynb")))
            backup = mine.with_name(f"{mine.stem}.backup-{count}.ipynb")
            mine.rename(backup)
            say(f"{mine.name} is as published again; yours is kept as {backup.name}.")
    for source in sorted(NOTEBOOKS.rglob("[!.]*")):
        inner = source.relative_to(NOTEBOOKS)
        target = MY_COURSE / inner
        if source.is_file() and inner.parts[0][0] != "." and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")  # an interruption must leave no half of it
            shutil.copyfile(source, part)
            part.replace(target)


def command_test(options):
    """Prove that all still holds: units, examples, structure, solutions, coverage, stored outputs."""
    report = CACHE / "coverage.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    cover = ["--cov", "--cov-report=term", f"--cov-report=json:{report}"]
    status = pytest("tests", "course_lib", NOTEBOOKS, "-m", "not browser", *NBVAL, *WORKERS, *cover)
    return max(status, too_few_branches(report))


def too_few_branches(report):
    """Return 1, and say so, if the tests took too few branches of course_lib."""
    if not report.exists():
        say("course: no coverage was measured.")
        return 1
    totals = json.loads(report.read_text("utf-8"))["totals"]
    share = 100 * totals["covered_branches"] / max(totals["num_branches"], 1)
    say(f"Branches of course_lib taken by the tests: {share:.1f} % (at least {BRANCHES} %)")
    return int(share < BRANCHES)


def command_browser(options):
    """Test what needs Chromium: live views in a real JupyterLab, slides, handouts, the website."""
    names = ("chromium", "chromium-browser", "google-chrome")
    caches = (Path.home() / folder for folder in (".cache", "Library/Caches", "AppData/Local"))
    if not any(map(shutil.which, names)) and not any(any(c.glob("ms-playwright/chromium*")) for c in caches):
        playwright = Path(environment("lab", "test")).relative_to(ROOT)
        remedy = f"sudo apt install chromium, or {playwright} -m playwright install chromium"
        raise CourseError(f"Chromium is missing: {remedy}.")
    return pytest("tests/browser", "-m", "browser", *WORKERS)


def command_nbval(options, **variables):
    """Run every notebook and compare each output with the stored one; ONLY=01 takes one."""
    chosen = named(options["ONLY"], "ONLY") if "ONLY" in options else NOTEBOOKS
    return pytest(chosen, *NBVAL, *WORKERS, **variables)


def command_processors(options):
    """Repeat nbval as on other processors; ONLY=01 takes one notebook."""
    status = 0
    for name, variables in PROCESSORS.items():
        say(f"\n=== As on another processor: {name} ===")
        status = max(status, command_nbval(options, **variables))
    return status


def command_notebooks(options):
    """Execute the notebooks anew and store them in one stable form; ONLY=01 takes one."""
    chosen = [named(options["ONLY"], "ONLY")] if "ONLY" in options else []
    return run(environment("lab", "test"), "tools/notebooks.py", *chosen)


def command_movie(options):
    """Save the races as GIF and MP4, for slides, in movies/ or TO=folder; ONLY=04 takes one notebook."""
    chosen = [named(options["ONLY"], "ONLY")] if "ONLY" in options else []
    folder = Path(options.get("TO", ROOT / "movies")).absolute()
    return run(environment("lab", "movie"), "tools/movies.py", folder, *chosen)


def command_slides(options):
    """Write the lectures as slides that open offline, in slides/ or TO=folder; ONLY=02 takes one notebook."""
    chosen = [named(options["ONLY"], "ONLY")] if "ONLY" in options else []
    folder = Path(options.get("TO", ROOT / "slides")).absolute()
    return run(environment("slides"), "tools/slides.py", folder, *chosen)


def command_lecture(options):
    """Open a lecture as a live slideshow, in which the live views move: NOTEBOOK=03.

    PORT=9000; BROWSER=no for servers. It has an environment of its own, made once.
    """
    if "NOTEBOOK" not in options:
        raise CourseError("NOTEBOOK is missing: say which lecture, e.g. NOTEBOOK=03.")
    notebook = named(options["NOTEBOOK"], "NOTEBOOK")
    arguments = free_port(options["PORT"]) if "PORT" in options else []
    if options.get("BROWSER") == "no":
        arguments.append("--no-browser")
    return run(environment("lecture", folder=CACHE / "lecture"), "tools/lecture.py", notebook, *arguments)


def command_handouts(options):
    """Write the notebooks without solutions, and each as a PDF, into handouts/ or TO=folder.

    ONLY=03 takes one notebook; SOLUTIONS=end puts hints, answers and solutions on the last pages of the PDF.
    """
    solutions = options.get("SOLUTIONS", "no")
    if solutions not in ("no", "end"):
        raise CourseError(f"SOLUTIONS={solutions}: must be no or end.")
    chosen = [named(options["ONLY"], "ONLY")] if "ONLY" in options else []
    folder = Path(options.get("TO", ROOT / "handouts")).absolute()
    return run(
        environment("lab", "handouts"), "tools/handouts.py", folder, *chosen, f"--solutions={solutions}"
    )


def command_site(options):
    """Build the website in site/ or TO=folder: pages to read, and all notebooks to run in a browser.

    PYODIDE=folder copies Python from there, so that no request leaves the host; PYODIDE=address takes it
    from there, by default from the public network; REPOSITORY=owner/name makes buttons for Binder.
    """
    arguments = [Path(options.get("TO", ROOT / "site")).absolute()]
    if "PYODIDE" in options:
        place = options["PYODIDE"]
        arguments += ["--pyodide", place if "://" in place else Path(place).absolute()]
    if "REPOSITORY" in options:
        arguments += ["--repository", options["REPOSITORY"]]
    return run(environment("site"), "tools/site.py", *arguments)


def command_bench(options):
    """Measure the speed, one benchmark after the other; let nothing else run meanwhile."""
    python, status = environment("lab", "test"), 0
    scripts = set((ROOT / "benchmarks").glob("[!_]*.py")) - {CLASSROOM}  # which has a command of its own
    for script in sorted(scripts):
        say(f"\n=== {script.name} ===")
        status = max(status, run(python, script))
    return status


def command_classroom(options):
    """Measure 20 learners at once in a JupyterHub, and rewrite the tables of docs/instructors.md.

    LEARNERS=2 only prints what so many use. Linux; some 6 minutes, in which nothing else should run.
    """
    learners = options.get("LEARNERS", "")
    if "LEARNERS" in options and not (learners.isdecimal() and int(learners)):
        raise CourseError(f"LEARNERS={learners}: must be a number from 1, e.g. LEARNERS=2.")
    if os.name != "posix":
        raise CourseError("JupyterHub does not run on Windows: use Linux, or the Linux subsystem.")
    how = ["--learners", learners] if learners else ["--write"]
    return run(environment("lab", "hub"), CLASSROOM, *how)


def command_lint(options):
    """Check the style of code, docstrings and notebooks."""
    return run(environment("lab", "test"), "-m", "ruff", "check", ".")


def command_constraints(options):
    """Write constraints.txt anew: the newest versions that go together; then run the tests."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, free = Path(scratch, "venv"), Path(scratch, "free.txt")
        free.write_text("", "utf-8")
        say("Resolving in a fresh environment ...")
        make(folder, f"{ROOT}[lab,test,hub,lecture,site]", free)
        freeze = [venv_python(folder), "-m", "pip", "freeze", "--all", "--exclude-editable"]
        said = subprocess.run(freeze, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    pins = [line for line in said.splitlines() if re.fullmatch(r"(?!pip=)[\w.-]+==[\w.!+]+", line)]
    head = "# Exact versions of all that `make` installs; written by `make constraints`.\n"
    CONSTRAINTS.write_text(head + "\n".join(pins) + "\n", "utf-8")
    say(f"constraints.txt: {len(pins)} versions.")
    return 0


def command_clean(options):
    """Delete what can be made again: .venv, caches, builds; my_course/ stays."""
    if VENV.exists():
        remove(VENV)
    names = ("__pycache__", ".cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "build", "dist")
    litter = [ROOT / name for name in names]
    litter += [*ROOT.glob("*.egg-info"), *ROOT.glob(".coverage*")]
    for part in ("course_lib", "tests", "tools", "benchmarks", "notebooks"):
        litter += [*(ROOT / part).rglob("__pycache__"), *(ROOT / part).rglob(".ipynb_checkpoints")]
    for path in litter:
        if path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)
    return 0


COMMANDS = {name[8:]: thing for name, thing in list(globals().items()) if name.startswith("command_")}
OPTIONS = {
    "classroom": ["LEARNERS"],
    "handouts": ["ONLY", "SOLUTIONS", "TO"],
    "lab": ["BROWSER", "FRESH", "PORT"],
    "lecture": ["BROWSER", "NOTEBOOK", "PORT"],
    "movie": ["ONLY", "TO"],
    "nbval": ["ONLY"],
    "notebooks": ["ONLY"],
    "processors": ["ONLY"],
    "site": ["PYODIDE", "REPOSITORY", "TO"],
    "slides": ["ONLY", "TO"],
}


def main(arguments):
    """Run one command; what is missing is said in one line."""
    name, *rest = arguments or ["help"]
    name = "help" if name in ("-h", "--help") else name
    try:
        if name not in COMMANDS:
            raise CourseError(f"there is no command {name}: try `python tools/course.py help`.")
        allowed = OPTIONS.get(name, [])
        for argument in rest:
            if "=" not in argument or argument.split("=")[0] not in allowed:
                known = ", ".join(f"{option}=..." for option in allowed) or "nothing"
                raise CourseError(f"{name} takes {known}, not {argument}.")
        options = dict(argument.split("=", 1) for argument in rest)
        return COMMANDS[name]({option: value for option, value in options.items() if value})
    except CourseError as error:
        say(f"course: {error}")
        return 1
    except KeyboardInterrupt:
        say("\ncourse: interrupted; call again to go on.")
        return 130
