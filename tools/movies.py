"""Save the races of notebooks as movies: ``python tools/movies.py FOLDER [NOTEBOOK...]``.

The cells up to the last one tagged `race` run in a fresh kernel; each race is written as a GIF, then an MP4.
"""

import sys
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools.notebooks import FOLDER, NotebookError, execute, tags


def with_movies(notebook, stem, folder):
    """Return a notebook up to its last race, with a cell behind each race that saves it, and the files."""
    cells, files, length = [], [], 0
    for cell in notebook.cells:
        cells.append(cell)
        if "race" in tags(cell):
            name = f"{stem}-{len(files) // 2 + 1}" if files else stem
            movies = [str(folder / f"{name}{ending}") for ending in (".gif", ".mp4")]
            last = "list(Out.values())[-1]"  # not _, which the notebook may use as a name of its own
            save = f"for movie in {movies}:\n    {last}.save(movie)"
            cells.append(nbformat.v4.new_code_cell(save, id=f"movie-{cell.id}"))
            files += movies
            length = len(cells)
    return nbformat.v4.new_notebook(cells=cells[:length], metadata=notebook.metadata), files


def main(arguments):
    """Save the races of the named notebooks, or of all; return 1 if there is none or one fails, else 0."""
    folder, *paths = map(Path, arguments)
    found = failed = 0
    for path in paths or sorted(FOLDER.glob("[!.]*.ipynb")):
        notebook, files = with_movies(nbformat.read(path, as_version=4), path.stem, folder.absolute())
        found += len(files)
        try:
            if files:
                folder.mkdir(parents=True, exist_ok=True)
                for file in files:
                    Path(file).unlink(missing_ok=True)
                execute(notebook, path.resolve().parent)
        except (NotebookError, OSError) as error:
            print(f"{path.name}: {error}", flush=True)
            failed = 1
        for file in filter(Path.exists, map(Path, files)):
            print(f"{file}: {file.stat().st_size / 1000:.0f} kB", flush=True)
    if not found:
        print("No cell is tagged race.", flush=True)
    return int(failed or not found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
