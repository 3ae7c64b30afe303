"""Writing frames as a GIF or an MP4."""

import contextlib
import importlib
import shutil
import subprocess

from PIL import Image

__all__ = ["FORMATS", "ffmpeg", "write"]

FORMATS = {".gif": (20, 1), ".mp4": (30, 2)}
"""Frames a second, and pixels painted for each one on the page."""


def write(path, frames, fps, size):
    """Write RGB images of this size (width, height) as the ending of `path` says."""
    (_write_gif if path.suffix.lower() == ".gif" else _write_mp4)(path, frames, fps, size)


def _write_gif(path, frames, fps, size):
    frames = list(frames)
    palette = frames[-1].quantize(256, Image.Quantize.MAXCOVERAGE)  # all that is ever shown is in it
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // fps, loop=0)


def _write_mp4(path, frames, fps, size):
    command = [ffmpeg(path.name), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", "{}x{}".format(*size), "-r", str(fps), "-i", "-"]
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white"  # the format knows no odd numbers of pixels
    command += ["-vf", even, "-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p"]
    command += ["-movflags", "+faststart", str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    with contextlib.suppress(BrokenPipeError):  # told below
        for frame in frames:
            process.stdin.write(frame.tobytes())
    said = process.communicate()[1].decode("utf-8", "replace").split("\n")
    if process.returncode:
        raise RuntimeError(f"{path.name}: ffmpeg failed ({said[0].strip()}). Save a GIF instead.")


def ffmpeg(name):
    """Return the ffmpeg of this machine, or of imageio-ffmpeg; `name` is the file that wants it."""
    found = shutil.which("ffmpeg")
    with contextlib.suppress(ImportError, RuntimeError):
        found = found or importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe()
    if not found:
        raise RuntimeError(f"{name}: needs ffmpeg: `pip install imageio-ffmpeg`, or save a GIF.")
    return found
