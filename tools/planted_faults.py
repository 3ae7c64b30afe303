"""Plant one-line faults in course_lib, one at a time, and report which ones no test notices.

``python tools/planted_faults.py [--number 60] [--seed 2026] [--only derivatives]`` changes an operator, a
comparison or a constant in a copy of the repository, runs the tests that belong to it (then, if they notice
nothing, all unit tests, unless `--only` is given or the fault is listed), and puts the line back. At least
one fault is drawn in each public function. What survives must stand in tools/equivalent_faults.toml, with the
reason why it changes nothing that matters.
"""

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "course_lib"
EQUIVALENT = Path(__file__).with_name("equivalent_faults.toml")
COPIED = (LIBRARY, "tests", "tools", "benchmarks", "notebooks", "conftest.py")
COPIED += ("constraints.txt", "pyproject.toml")
OPERATORS = {
    **{ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*"},
    **{ast.Pow: "*", ast.MatMult: "*", ast.BitOr: "&", ast.BitAnd: "|", ast.BitXor: "|"},
    **{ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="},
    **{ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.And: "or", ast.Or: "and"},
    **{ast.USub: "", ast.Not: "", ast.Invert: "", ast.LShift: ">>", ast.RShift: "<<"},
}
SYMBOLS = re.compile(rb"\*\*|//|<<|>>|<=|>=|==|!=|is\s+not|not\s+in|\b(?:is|in|and|or|not)\b|[-+*/%@|&^<>~]")


@dataclass(frozen=True)
class Fault:
    """One change of one line: in `function` of `file`, `before` becomes `after`."""

    file: str
    function: str
    line: int
    before: str
    after: str
    public: bool

    @property
    def key(self):
        """What it is called in the list of equivalent faults: no line number, for lines move."""
        return self.file, self.function, self.before.strip(), self.after.strip()

    def __str__(self):
        change = f"    - {self.before.strip()}\n    + {self.after.strip()}"
        return f"{self.file}:{self.line} {self.function}\n{change}"


class Finder(ast.NodeVisitor):
    """Collect all faults of a module: each is one piece of source put in the place of another."""

    def __init__(self, file, source):
        tree = ast.parse(source)
        self.file, self.lines, self.found = file, source.encode().splitlines(), []
        self.names, self.exported = [], exported(tree)
        self.visit(tree)

    def propose(self, line, start, stop, new):
        """Note the fault that puts `new` (bytes) in place of columns `start` to `stop` of a line."""
        old = self.lines[line - 1]
        text = old[:start] + new + old[stop:]
        top = self.names[0] if self.names else ""
        inner = [name for name in self.names[1:] if name.startswith("_") and name != "__call__"]
        function = ".".join(self.names) or "(module)"
        public = bool(top) and top in self.exported and not inner
        self.found.append(Fault(self.file, function, line, old.decode(), text.decode(), public))

    def between(self, left, right, operator):
        """Propose another operator between two operands: the first symbol there that is no bracket."""
        new = OPERATORS.get(type(operator))
        for line in range(left.end_lineno, right.lineno + 1):
            text = self.lines[line - 1]
            low = left.end_col_offset if line == left.end_lineno else 0
            high = right.col_offset if line == right.lineno else len(text)
            symbol = SYMBOLS.search(text, low, high)
            if symbol and b"#" not in text[low : symbol.start()] and new is not None:
                self.propose(line, symbol.start(), symbol.end(), new.encode())
                return

    def visit_named(self, node):
        """Go into a function or class, without its annotations and docstring."""
        for part in node.decorator_list:
            self.visit(part)
        self.names.append(node.name)
        if not isinstance(node, ast.ClassDef):
            for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)
        self.names.pop()

    visit_FunctionDef = visit_ClassDef = visit_named

    def visit_AnnAssign(self, node):
        """Skip the annotation."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node):
        """Skip lists of names, which no computation reads."""
        if not (isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"):
            self.generic_visit(node)

    def visit_keyword(self, node):
        """Skip `strict=True` of zip: it guards against mistakes in the library itself."""
        if node.arg != "strict":
            self.generic_visit(node)

    def visit_Yield(self, node):
        """Skip what the checks of exercises yield: which inputs they try is arbitrary."""
        if "/exercises/" not in self.file:
            self.generic_visit(node)

    visit_YieldFrom = visit_Yield

    def visit_JoinedStr(self, node):
        """Go into the expressions of an f-string, not into its text and formats."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and sys.version_info >= (3, 12):
                self.visit(part.value)

    def visit_BinOp(self, node):
        """Exchange an arithmetic operator."""
        self.between(node.left, node.right, node.op)
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        """Exchange the operator of an augmented assignment."""
        self.between(node.target, node.value, node.op)
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        """Exchange `and` and `or`."""
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between(left, right, node.op)
        self.generic_visit(node)

    def visit_Compare(self, node):
        """Shift or turn round a comparison."""
        lefts = [node.left, *node.comparators]
        for left, operator, right in zip(lefts, node.ops, node.comparators, strict=False):
            self.between(left, right, operator)
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        """Drop a sign or a `not`."""
        if type(node.op) in OPERATORS and node.lineno == node.operand.lineno:
            self.propose(node.lineno, node.col_offset, node.operand.col_offset, b"")
        self.generic_visit(node)

    def visit_Constant(self, node):
        """Change a number or a truth value."""
        value = node.value
        if isinstance(value, bool):
            new = str(not value)
        elif isinstance(value, int):
            new = str(value + 1)
        elif isinstance(value, float):
            new = repr(2 * value or 1.0)
        elif isinstance(value, complex):
            new = repr(2 * value)
        else:
            return
        self.propose(node.lineno, node.col_offset, node.end_col_offset, new.encode())


def exported(tree):
    """Return the public names of a module: its ``__all__``, else all without underscore."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    names = {getattr(node, "name", "_") for node in tree.body}
    return {name for name in names if not name.startswith("_")}


def all_faults(only=""):
    """Return every fault of the library, in order; with `only`, of the files whose path holds that text."""
    found = []
    for path in sorted((ROOT / LIBRARY).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if only in file:
            found += Finder(file, path.read_text("utf-8")).found
    return list(dict.fromkeys(found))


def draw(faults, number, seed):
    """Return `number` faults or more: one in each public function, the others anywhere.

    Each function has a generator of its own, so that a change elsewhere does not change what is drawn in it.
    """
    by_function = {}
    for fault in faults:
        if fault.public:
            by_function.setdefault((fault.file, fault.function), []).append(fault)
    drawn = [random.Random(f"{seed} {place}").choice(group) for place, group in by_function.items()]
    taken = set(drawn)
    rest = [fault for fault in faults if fault not in taken]
    drawn += random.Random(seed).sample(rest, min(max(number - len(drawn), 0), len(rest)))
    return sorted(drawn, key=lambda fault: (fault.file, fault.line))


def belonging(file, root):
    """Return the tests of a module: its examples; its test file, or those of what imports it or names it."""
    folder, name = Path(file).parent.name, Path(file).stem
    stem = name.strip("_") if folder == LIBRARY else f"{folder}_{name.strip('_')}"
    own = root / "tests" / f"test_{folder if name == '__init__' else stem}.py"
    if own.exists():
        return [file, own.relative_to(root).as_posix()]
    package = ".".join(Path(file).parent.parts)
    imported = re.compile(rf"^from {package}(\.{name} import| import .*\b{name}\b)", re.MULTILINE)
    library = (root / LIBRARY).rglob("*.py")
    users = [path for path in library if imported.search(path.read_text("utf-8"))]
    tests = {test for path in users for test in belonging(path.relative_to(root).as_posix(), root)}
    if not users:
        mentioned = (path for path in (root / "tests").glob("test_*.py") if name in path.read_text("utf-8"))
        tests = {path.relative_to(root).as_posix() for path in mentioned}
    return [file, *sorted(tests - {file})]


def run_tests(copy, tests, timeout):
    """Run tests in a copy of the repository; return None if they pass, else the first that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not browser"]
    command += [f"-pno:{plugin}" for plugin in ("anyio", "cacheprovider", "nbval", "pytest_cov", "xdist")]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    try:
        done = subprocess.run([*command, *tests], cwd=copy, env=environment, timeout=timeout, **pipes)
    except subprocess.TimeoutExpired:
        return f"no end after {timeout:.0f} s"
    if done.returncode in (0, 5):  # 5: a module without examples
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return failed[1] if failed else f"pytest ended with {done.returncode}"


def everything(root):
    """Return all unit tests and examples of the library."""
    tools = {"test_tools.py", "test_packaging.py", "test_processors.py"}
    tests = [path.relative_to(root).as_posix() for path in sorted((root / "tests").glob("test_*.py"))]
    return [LIBRARY, *(test for test in tests if Path(test).name not in tools)]


def copy_of(root, folder):
    """Copy what the tests need into a folder."""
    for name in COPIED:
        source, target = root / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.exists():
            shutil.copy(source, target)
    return folder


def try_fault(fault, copies, timeout, thorough):
    """Plant a fault in a free copy; return what noticed it (None if nothing did), and the seconds it took."""
    copy, start = copies.get(), time.perf_counter()
    path = copy / fault.file
    original = path.read_bytes()
    lines = original.decode().split("\n")
    lines[fault.line - 1] = fault.after
    path.write_text("\n".join(lines), "utf-8", newline="\n")
    try:
        noticed = run_tests(copy, belonging(fault.file, copy), timeout)
        if thorough:
            noticed = noticed or run_tests(copy, everything(copy), 4 * timeout)
    finally:
        path.write_bytes(original)
        copies.put(copy)
    return noticed, time.perf_counter() - start


def equivalents():
    """Return the faults that are known to change nothing that matters: key -> reason."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("fault", []) if EQUIVALENT.exists() else []
    return {(one["file"], one["function"], one["before"], one["after"]): one["reason"] for one in listed}


def main(arguments=None):
    """Plant, run, report; return 1 if a fault survives that is not listed as equivalent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=60, help="draw at least so many (60)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", metavar="MODULE", help="only such files, only their tests")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (2)")
    parser.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for one run (120)")
    parser.add_argument("--list", action="store_true", help="only list what would be planted")
    options = parser.parse_args(arguments)
    faults = all_faults(options.only)
    drawn = draw(faults, options.number, options.seed)
    known = equivalents()
    stale = [key for key in known if not options.only and key not in {fault.key for fault in faults}]
    print(f"{len(faults)} possible faults, {len(drawn)} drawn with seed {options.seed}", flush=True)
    if options.list:
        print(*drawn, sep="\n")
        return 0
    survived = []
    with tempfile.TemporaryDirectory() as scratch:
        copies = Queue()
        for job in range(options.jobs):
            folder = Path(scratch, str(job))
            folder.mkdir()
            copies.put(copy_of(ROOT, folder))
        tests = sorted({test for fault in drawn for test in belonging(fault.file, folder)})
        noticed = run_tests(folder, tests if options.only else everything(folder), 4 * options.timeout)
        if noticed:
            print(f"the tests fail without any fault: {noticed}")
            return 1
        with ThreadPoolExecutor(options.jobs) as pool:
            rest = [not options.only and fault.key not in known for fault in drawn]
            settings = [copies] * len(drawn), [options.timeout] * len(drawn), rest
            results = pool.map(try_fault, drawn, *settings)
            for fault, (noticed, seconds) in zip(drawn, results, strict=True):
                reason = known.get(fault.key)
                verdict = f"equivalent: {reason}" if reason else "SURVIVED"
                verdict = f"noticed by {noticed}" if noticed else verdict
                print(f"{fault}\n    {verdict} ({seconds:.0f} s)", flush=True)
                if not noticed and not reason:
                    survived.append(fault)
    print(f"\n{len(drawn)} faults planted, {len(survived)} survived and are not listed as equivalent")
    print(*survived, sep="\n")
    for key in stale:
        print(f"listed as equivalent, but there is no such line any more: {key}")
    return 1 if survived or stale else 0


if __name__ == "__main__":
    sys.exit(main())
