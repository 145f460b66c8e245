"""A backup as a file: one tar with a manifest that says what is in it and how to tell that it is whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from recoup.supervisor.errors import SupervisorError

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
SECRET_KEY = "secret.key"  # noqa: S105 (the name of a file)
MEDIA = "media/"
PIECE = 1024 * 1024


class NotABackup(SupervisorError):
    """The file is no backup of Recoup, or a damaged one."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    version: str
    server_version: int
    instance_id: str
    is_demo: bool
    sha256: dict[str, str]
    format: int = FORMAT


@dataclass(frozen=True)
class Contents:
    """What goes into a backup."""

    dump: Path
    secret_key: Path
    media: Path

    def files(self) -> Iterator[tuple[str, Path]]:
        """Return every file with its name in the archive."""
        yield DUMP, self.dump
        yield SECRET_KEY, self.secret_key
        for path in sorted(self.media.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield MEDIA + path.relative_to(self.media).as_posix(), path


def write(target: Path, *, contents: Contents, manifest: Manifest) -> Manifest:
    """Write a backup, under another name until it is whole. Its owner alone can read it."""
    partial = target.with_name(target.name + ".partial")
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    sums: dict[str, str] = {}
    with os.fdopen(descriptor, "w+b") as out, tarfile.open(fileobj=out, mode="w") as archive:
        for name, path in contents.files():
            sums[name] = _add(archive, name, path)
        whole = Manifest(**{**asdict(manifest), "sha256": sums})
        text = json.dumps(asdict(whole), indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        archive.addfile(entry, io.BytesIO(text))
        archive.close()
        out.flush()
        os.fsync(out.fileno())
    partial.rename(target)
    return whole


def read_checked(path: Path) -> Manifest:
    """Read the manifest and check every file against it, before anything is touched.

    :raises NotABackup: if something is missing, added or altered.
    """
    advice = "Nothing was changed. Copy the backup again from where it is kept, or use an older one."
    try:
        with tarfile.open(path) as archive:
            sums = {entry.name: _sum_of(archive, entry) for entry in archive if entry.isreg()}
            others = [entry.name for entry in archive if not entry.isreg()]
            text = archive.extractfile(MANIFEST)
            manifest = Manifest(**json.loads(text.read() if text else b""))
    except (tarfile.TarError, OSError, KeyError, TypeError, ValueError) as error:
        raise NotABackup(
            f"{path} is no backup of Recoup, or a damaged one ({error}).", advice=advice
        ) from error
    sums.pop(MANIFEST, None)
    if sums != manifest.sha256 or others or not {DUMP, SECRET_KEY} <= set(sums):
        raise NotABackup(f"{path} is damaged: its files are not those that it was made with.", advice=advice)
    if manifest.format != FORMAT:
        raise NotABackup(f"{path} was made by a newer Recoup.", advice="Restore it with that version.")
    return manifest


def take_out(path: Path, name: str, target: Path) -> None:
    """Write one file of a checked backup to the disk, readable by its owner alone."""
    with tarfile.open(path) as archive:
        source = archive.extractfile(name)
        assert source is not None
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            for piece in _pieces(source):
                out.write(piece)


def take_out_media(path: Path, manifest: Manifest, folder: Path) -> int:
    """Write the uploaded files of a checked backup into a folder, and return how many.

    :raises NotABackup: if a name leads out of the folder.
    """
    names = [name for name in manifest.sha256 if name.startswith(MEDIA)]
    for name in names:
        inner = PurePosixPath(name.removeprefix(MEDIA))
        if inner.is_absolute() or ".." in inner.parts:
            raise NotABackup(
                f"{path} holds a file that leads elsewhere: {name}.", advice="Do not trust this file."
            )
        take_out(path, name, folder / inner)
    return len(names)


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as source:
        entry = archive.gettarinfo(arcname=name, fileobj=source)
        entry.mode, entry.uname, entry.gname, entry.uid, entry.gid = 0o600, "", "", 0, 0
        summing = _Summing(source)
        archive.addfile(entry, summing)
        return summing.total.hexdigest()


def _sum_of(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    source = archive.extractfile(entry)
    assert source is not None
    total = hashlib.sha256()
    for piece in _pieces(source):
        total.update(piece)
    return total.hexdigest()


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece


class _Summing:
    """Reads a file and sums what was read, so that a large one is read once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.total = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self.total.update(piece)
        return piece
