"""Fetch, verify and unpack published data sets; say what is on disk."""

import gzip
import os
import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from warnings import warn

import h5py

from factorgrid.datasets import DATASETS, Source
from factorgrid.datasets.files import DAMAGE, DataWarning, one_line
from factorgrid.datasets.prepare import checksum
from factorgrid.datasets.published.remote import RemoteFile, data_root
from factorgrid.datasets.published.transfer import transfer
from factorgrid.errors import Error, unknown_name
from factorgrid.files import replacing
from factorgrid.progress import Bar


@dataclass(frozen=True)
class Status:
    """A data set on disk.

    Attributes:
        name, kind: as in the table of data sets.
        present: whether it can be loaded.
        path: the folder of its files; None if it needs none.
        num_bytes: that its files take, prepared ones included.
        missing: its files that are not there.
    """

    name: str
    kind: str
    present: bool
    path: Path | None
    num_bytes: int
    missing: tuple[Path, ...]


def status(root: Path | None = None) -> list[Status]:
    """What is present of each data set of the table, where, and how large. `root`: see `data_root`."""
    return [_status_of(name, source, data_root(root)) for name, source in DATASETS.items()]


def _status_of(name: str, source: Source, root: Path) -> Status:
    if not source.files:
        return Status(name, source.kind, True, None, 0, ())
    targets = [root / file.path for file in source.files]
    absent = tuple(target for target in targets if _present(target) is None)
    # a set of one folder is that folder; else the folder of its files
    folder = targets[0] if source.files[0].unpack == "tar" else targets[0].parent
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return Status(name, source.kind, not absent, folder, size, absent)


def _present(target: Path) -> Path | None:
    """The file or folder, or what loaders take in its place."""
    packed = target.with_name(target.name + ".gz")
    others = sorted(target.parent.glob("*.npz")) if target.suffix == ".h5" else []
    return next((path for path in (target, packed, *others) if path.exists()), None)


def download(
    name: str,
    *,
    root: Path | None = None,
    accept_changed: bool = False,
    progress: bool = True,
    attempts: int = 5,
    pause: float = 1.0,
) -> None:
    """Fetch the files of data set `name` that are not there, verify and unpack them. Going on where it broke off.

    Args:
        name: in the table of data sets.
        root: see `data_root`.
        accept_changed: take a file whose checksum is not the published one, if it is sound in itself.
        progress: whether to show bars.
        attempts, pause: see `transfer`.

    Raises:
        Error: there is no such data set, it has no files, or one cannot be had, came damaged or changed, or cannot be
            written.
    """
    if name not in DATASETS:
        raise unknown_name("data set", name, DATASETS)
    if not DATASETS[name].files:
        raise Error(f"data set '{name}' is drawn by factorgrid: there is nothing to download")
    for file in DATASETS[name].files:
        target = data_root(root) / file.path
        if _present(target) is None:
            fetch(file, target, accept_changed=accept_changed, progress=progress, attempts=attempts, pause=pause)


def fetch(
    file: RemoteFile,
    target: Path,
    *,
    accept_changed: bool = False,
    progress: bool = True,
    attempts: int = 5,
    pause: float = 1.0,
) -> None:
    """One file: transferred, verified, unpacked to `target`. Until all is done, `target` does not exist.

    Nothing is unpacked before it is verified. A file with another checksum than the published one is removed if it
    is damaged in itself (the archive's own checksums do not hold). If it is sound, its authors may have replaced it,
    or somebody on the way: it is kept packed and refused, unless `accept_changed`, which makes it a warning.

    Raises:
        Error: see `download`.
    """
    arrived = target.with_name(PurePosixPath(file.url).name + ".fetched")
    if not arrived.exists():
        transfer(file.url, arrived, progress=progress, attempts=attempts, pause=pause)
    actual = checksum(arrived) if file.md5 is not None else None
    try:
        if actual is None or actual != file.md5:
            _check_sound(file, arrived, target)
        if actual != file.md5:
            _refuse_or_warn(file, arrived, actual, accept_changed)
        _unpack(file, arrived, target, progress)
    except (*DAMAGE, OSError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:  # the disk's fault, not the file's
            raise Error(f"{target} cannot be written: {one_line(problem)}; make room or choose another") from problem
        arrived.unlink(missing_ok=True)
        raise Error(f"{file.url}: what came is damaged ({one_line(problem)}); try again later") from problem


def _refuse_or_warn(file: RemoteFile, arrived: Path, actual: str | None, accept_changed: bool) -> None:
    differs = f"{file.url} has md5 {actual}, not {file.md5} as published"
    if not accept_changed:
        raise Error(
            f"{differs}; what came lies unopened at {arrived}: remove it to fetch it again, or take it as it is with "
            f"--accept-changed (accept_changed=True)"
        )
    warn(f"{differs}; it is taken as it is, so results may not be comparable", DataWarning, stacklevel=3)


def _check_sound(file: RemoteFile, arrived: Path, target: Path) -> None:
    """Raise one of DAMAGE or OSError if a file is not sound in itself; nothing is written."""
    if file.unpack != "no":
        with gzip.open(arrived) as packed:
            _read_to_end(packed)
    elif target.suffix == ".npz":
        with zipfile.ZipFile(arrived) as archive:
            bad = archive.testzip()
        if bad is not None:
            raise zipfile.BadZipFile(f"checksum of {bad} does not match")
    elif target.suffix == ".h5":
        with h5py.File(arrived, "r") as content:
            content.visit(lambda _: None)


def _unpack(file: RemoteFile, arrived: Path, target: Path, progress: bool) -> None:
    """Put the content at `target`, which is whole or not there."""
    if file.unpack == "no":
        os.replace(arrived, target)
        return
    if file.unpack == "gz":
        with replacing(target) as temporary, gzip.open(arrived) as packed, open(temporary, "wb") as content:
            shutil.copyfileobj(packed, content, 2**20)
    else:
        folder = target.with_name(target.name + ".unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _extract(arrived, file.member, folder, progress)
        os.replace(folder, target)
    arrived.unlink()


def _extract(archive_path: Path, member_folder: str, folder: Path, progress: bool) -> None:
    """The regular files directly inside `member_folder`. Links, devices and paths that lead outside are left."""
    with (
        Bar(f"unpacking {archive_path.stem}", archive_path.stat().st_size, unit="bytes", quiet=not progress) as bar,
        open(archive_path, "rb") as packed,
        gzip.open(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            inside = PurePosixPath(member.name.removeprefix("./"))
            if member.isfile() and str(inside.parent) == member_folder and inside.name not in (".", ".."):
                content = archive.extractfile(member)
                assert content is not None
                with content, open(folder / inside.name, "wb") as copy:
                    shutil.copyfileobj(content, copy, 2**20)
            bar.update(packed.tell())
        _read_to_end(stream)
    if not any(folder.iterdir()):
        raise tarfile.TarError(f"it has no folder {member_folder}")


def _read_to_end(stream: gzip.GzipFile) -> None:
    """Where the checksum is: reading it raises if it does not hold."""
    while stream.read(2**20):
        pass
