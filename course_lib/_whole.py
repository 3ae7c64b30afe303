"""Files that are written whole or not at all."""

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path, content):
    """Replace a file by `content` (bytes) in one step, once everything has reached the disk.

    It is written beside its place (``PATH.part``): whenever the process dies, `path` is the old file or the
    new one. Its folder is made if it is missing. One process at a time may write a file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
