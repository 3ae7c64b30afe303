"""Execute notebooks from top to bottom and store them in one stable form.

``python tools/notebooks.py [NOTEBOOK…]`` (all of ``notebooks/`` by default) runs each notebook in a fresh
kernel of this very interpreter, prints the seconds it took and writes it back without anything that would
change from run to run: running it twice leaves no difference. A notebook with an error is left as it was.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for whoever runs this file from elsewhere
from tools.environment import shut_out

FOLDER = ROOT / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KEPT_CELL_METADATA = ("exercise", "jupyter", "slideshow", "tags")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
SWITCH = "MEASURE = False"

# Printed results hold on every processor (`make processors`), but a line in a picture may move by a fraction
# of a pixel: pictures are stored as any x86-64 processor with AVX2 draws them, so that diffs stay empty.
STEADY = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
}


class NotebookError(Exception):
    """A notebook that cannot be stored; the text says which cell and why."""


class ThisInterpreter(KernelSpecManager):
    """The only kernel there is: the Python that runs this file, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name):
        """Return the specification of this interpreter's ipykernel under any name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class KernelManager(AsyncKernelManager):
    """Starts no other kernel."""

    def _kernel_spec_manager_default(self):
        return ThisInterpreter()


def tags(cell):
    """Return the list of tags of a cell."""
    return cell.metadata.get("tags", [])


def reveals(cell):
    """Tell whether a cell gives away the answer to an exercise."""
    return bool({"solution", "answer"} & set(tags(cell)))


def _place(notebook, index):
    """Name a cell as an author finds it: its id and its number in the notebook."""
    return f"cell {notebook.cells[index].get('id', '?')!r} (number {index + 1})"


def execute(notebook, folder, timeout=300, variables=None):
    """Run all cells of a notebook in place, in a fresh kernel whose working directory is `folder`.

    The kernel gets these environment variables besides those that there are.

    Raises
    ------
    NotebookError
        Naming the first cell that failed, and how.
    """
    for index, cell in enumerate(notebook.cells):
        if "timing" in tags(cell) and SWITCH not in cell.source:
            raise NotebookError(f"{_place(notebook, index)} is tagged timing: it must hold `{SWITCH}`.")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    started = [-1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        client = NotebookClient(
            notebook,
            kernel_manager_class=KernelManager,
            kernel_name="python3",
            timeout=timeout,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=lambda cell, cell_index: started.append(cell_index),
        )
        environment = os.environ | shut_out(scratch) | (variables or {})
        environment.pop("MPLBACKEND", None)
        log = Path(scratch, "kernel.log")
        with log.open("w") as stderr, contextlib.suppress(CellExecutionError):  # its output is found below
            try:
                client.execute(env=environment, stderr=stderr)
            except CellTimeoutError:
                raise NotebookError(f"{_place(notebook, started[-1])} took more than {timeout} s.") from None
            except (DeadKernelError, RuntimeError):
                said = [line for line in log.read_text().splitlines() if line and "WARNING" not in line]
                last = said[-1] if said else "out of memory?"
                raise NotebookError(f"the kernel died in {_place(notebook, started[-1])}: {last}") from None
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                name, value = output.ename, output.evalue
                raise NotebookError(f"{_place(notebook, index)} raised {name}: {value}")
        if "timing" in tags(cell) and cell.get("outputs"):
            raise NotebookError(f"{_place(notebook, index)} is tagged timing: it must print nothing.")
    return notebook


def _merged(outputs):
    """Join neighbouring texts of one stream: how a text is cut into messages depends on the clock."""
    merged = []
    for output in outputs:
        same = merged and merged[-1].get("name") == output.get("name", "not a stream")
        if same:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def normalise(notebook):
    """Strip in place all that changes from run to run; cell ids, tags and exercise numbers stay."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
        if kept.get("jupyter", {}).get("source_hidden"):
            kept["jupyter"] = {"source_hidden": True}
        else:
            kept.pop("jupyter", None)
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type != "code":
            continue
        ran = cell.execution_count is not None
        count += ran
        cell.execution_count = count if ran else None
        cell.outputs = _merged(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = cell.execution_count
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)
                output.metadata.pop(WIDGET_VIEW, None)
    return notebook


def write(notebook, path):
    """Write a notebook as stable JSON, whole or not at all."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def main(arguments=None):
    """Execute and normalise the named notebooks; return 1 if any of them failed, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all of notebooks/")
    parser.add_argument("--timeout", type=int, default=300, metavar="SECONDS", help="for one cell (300)")
    parser.add_argument("--no-run", action="store_true", help="only normalise what is stored")
    options = parser.parse_args(arguments)
    failed = 0
    for path in options.notebooks or sorted(FOLDER.glob("[!.]*.ipynb")):
        start = time.perf_counter()
        try:
            notebook = nbformat.read(path, as_version=4)
            if not options.no_run:
                execute(notebook, path.resolve().parent, options.timeout, STEADY)
            write(normalise(notebook), path)
        except (NotebookError, OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
            print(f"{path.name}: not stored: {error}", flush=True)
            failed += 1
        else:
            print(f"{path.name}: {time.perf_counter() - start:.1f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
