"""Reading tar archives from elsewhere: nothing is unpacked to disk, and what looks hostile is refused."""

from pathlib import PurePosixPath

from course_lib._checks import require

__all__ = ["members"]


def members(path, wanted, *, largest, total, count):
    """Yield (name, content) of the files in a tar archive whose name matches, in the archive's order.

    Parameters
    ----------
    path : Path
        The archive; compressed by gzip, bzip2 or xz, or not at all.
    wanted : re.Pattern
        Full names of the files to read; others are passed over.
    largest, total : int
        Bytes that one file, and all files together, may have uncompressed: a small archive can claim to hold
        more than any disk.
    count : int
        Members that the archive may have.

    Yields
    ------
    tuple of (str, bytes)

    Raises
    ------
    ValueError
        If it is no tar archive, is truncated or damaged, names a place outside its own folder, holds a link,
        a device, or a file twice, or is larger than allowed. (An uncompressed archive that was cut between
        two members looks whole: the caller must know what should be in it.)
    """
    import lzma  # with tarfile, only where there is an archive: not every Python in a browser has it
    import tarfile
    import zlib

    name, seen, size = path.name, set(), 0
    remedy = "Get the archive again from its publisher."
    try:
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive, 1):
                require(number <= count, f"members of {name}", number, f"at most {count:,}", remedy)
                parts = PurePosixPath(member.name).parts
                inside = not member.name.startswith("/") and ".." not in parts and "\\" not in member.name
                require(inside, f"member of {name}", member.name, "inside the archive's folder", remedy)
                plain = member.isfile() or member.isdir()
                require(plain, f"member of {name}", member.name, "a plain file or folder", remedy)
                small = member.size <= largest
                require(small, f"size of {member.name}", member.size, f"at most {largest:,} bytes", remedy)
                size += member.size
                require(size <= total, f"size of {name}, unpacked,", size, f"at most {total:,} bytes", remedy)
                if member.isfile() and wanted.fullmatch(member.name):
                    require(member.name not in seen, f"member of {name}", member.name, "there once", remedy)
                    seen.add(member.name)
                    yield member.name, archive.extractfile(member).read()
            while rest := archive.fileobj.read(1 << 20):  # up to the checksum of the compression
                size, most = size + len(rest), total + tarfile.RECORDSIZE
                require(size <= most, f"size of {name}, unpacked,", size, f"at most {most:,} bytes", remedy)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{name}: must be a whole tar archive. {remedy} ({error})") from error
