"""Where the code of functions and layers is on this machine: folders, archives, and lines of the template itself."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

BUCKET = "local"
"""The bucket that stands for the folder of a template while it is translated."""

# "If you include your function source inline ... CloudFormation places it in a file named index"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
_INLINE_FILE = "index.py"


def code_path(location: Any, root: Path) -> Path | None:
    """Give the folder of code: the one named, one with what an archive holds, one with inline code.

    Returns None when the code is elsewhere: in a bucket, an image, a repository. The folder may not exist.
    """
    if isinstance(location, dict) and isinstance(location.get("ZipFile"), str):
        return _inline(location["ZipFile"])
    named = _named(location)
    if named is None:
        return None
    path = root / named
    return _unpacked(path) if path.is_file() else path


def _named(location: Any) -> str | None:
    if isinstance(location, str) and "://" not in location:  # AWS::Lambda resources hold a path until they are packaged
        return location
    if isinstance(location, dict) and location.get("S3Bucket") == BUCKET:
        return unquote(location["S3Key"])
    return None


def importable(layer: Path) -> Path:
    """Give the folder of a layer that Python imports from: its `python/` where it is laid out as Lambda unpacks it.

    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """
    versions = sorted((layer / "python" / "lib").glob("python3.*/site-packages"))
    if versions:
        return versions[-1]
    return layer / "python" if (layer / "python").is_dir() else layer


def _inline(text: str) -> Path:
    folder = _made("inline", text.encode())
    file = folder / _INLINE_FILE
    if not file.is_file():
        _write(file, text)
    return folder


def _write(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".new", delete=False, encoding="utf-8") as new:
        new.write(text)
    Path(new.name).replace(file)


def _unpacked(file: Path) -> Path:
    """Unpack an archive; any other file, which `sam` would pack alone, is put into a folder alone."""
    content = file.read_bytes()
    folder = _made("files", file.name.encode() + content)
    if any(folder.iterdir()):
        return folder
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened:
            opened.extractall(folder)
    else:
        (folder / file.name).write_bytes(content)
    return folder


def _made(kind: str, content: bytes) -> Path:
    """Make the folder of some content: in the cache folder or, where that can't be written, a temporary one."""
    name = Path("eachonce", kind, hashlib.sha256(content).hexdigest()[:32])
    for home in (os.environ.get("XDG_CACHE_HOME") or _cache(), tempfile.gettempdir()):
        folder = Path(home) / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        return folder
    raise OSError(f"no folder can be made for {name}")


def _cache() -> str:
    try:
        return str(Path.home() / ".cache")
    except RuntimeError:  # there is no home
        return tempfile.gettempdir()
