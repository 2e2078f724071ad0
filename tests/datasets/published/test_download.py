"""Downloads against a server that breaks off, forgets ranges, changes its file, sends damage or nothing."""

import gzip
import hashlib
import io
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import Server
from miniatures import write_cars3d, write_dsprites, write_mpi3d, write_smallnorb

from factorgrid.datasets import DATASETS, DataWarning, Source
from factorgrid.datasets.published import smallnorb
from factorgrid.datasets.published.download import download, fetch, status
from factorgrid.datasets.published.remote import RemoteFile
from factorgrid.datasets.published.transfer import transfer
from factorgrid.errors import Error

CONTENT = np.random.default_rng(0).integers(0, 256, 900_000, dtype=np.uint8).tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def get(server: Server, path: Path, attempts: int = 5) -> None:
    transfer(f"{server.url}/file.bin", path, progress=False, attempts=attempts, pause=0.0)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if ".part" in path.name or ".fetched" in path.name)


def test_a_whole_transfer(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"] = CONTENT
    get(server, tmp_path / "deep" / "file.bin")
    assert (tmp_path / "deep" / "file.bin").read_bytes() == CONTENT
    assert server.requests == [""]
    assert not leftovers(tmp_path)


def test_broken_connections_are_resumed_where_they_broke(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"], server.cuts = CONTENT, [300_000, 250_000]
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests == ["", "bytes=300000-", "bytes=550000-"]


def test_a_second_command_resumes_the_first(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"], server.cuts = CONTENT, [400_000]
    with pytest.raises(Error, match=r"broke off after 400\.0 kB .*run the same command again"):
        get(server, tmp_path / "file.bin", attempts=1)
    assert not (tmp_path / "file.bin").exists()
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=400000-"


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"], server.cuts, server.ranges = CONTENT, [500_000], False
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("tag", ['W/"weak"', None])
def test_without_a_firm_tag_nothing_is_resumed(server: Server, tmp_path: Path, tag: str | None) -> None:
    server.files["file.bin"], server.cuts, server.tag = CONTENT, [500_000], tag
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert server.requests == ["", ""]


def test_two_versions_are_never_pasted_together(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"], server.cuts = CONTENT, [400_000]
    with pytest.raises(Error):
        get(server, tmp_path / "file.bin", attempts=1)
    server.files["file.bin"], server.tag = CONTENT[::-1], '"v2"'
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_is_already_whole_is_taken(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"] = CONTENT
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    (tmp_path / "file.bin.part.tag").write_text('"v1"')
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert not leftovers(tmp_path)


def test_a_part_longer_than_the_file_is_dropped(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"] = CONTENT
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"more")
    (tmp_path / "file.bin.part.tag").write_text('"v1"')
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_that_always_breaks_off_is_given_up(server: Server, tmp_path: Path) -> None:
    server.files["file.bin"], server.cuts = CONTENT, [0] * 20
    with pytest.raises(Error, match=r"nothing came .*; try again later, or fetch it by hand"):
        get(server, tmp_path / "file.bin")
    assert len(server.requests) == 3


def test_refusals_and_dead_servers_get_one_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"the server answers 404 Not Found; fetch it by hand and put it at .*file\.bin"):
        get(server, tmp_path / "file.bin")
    with pytest.raises(Error, match="Connection refused"):
        transfer("http://127.0.0.1:9/file.bin", tmp_path / "file.bin", progress=False, pause=0.0)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    with pytest.raises(Error, match="cannot be written"):
        get(server, tmp_path / "blocked" / "file.bin")


def published(server: Server, content: bytes, name: str, **options: str) -> RemoteFile:
    server.files[name] = content
    return RemoteFile(f"{server.url}/{name}", f"set/{name}", **{"md5": md5(content), **options})


def try_fetch(file: RemoteFile, target: Path, *, accept_changed: bool = False) -> None:
    fetch(file, target, accept_changed=accept_changed, progress=False, pause=0.0)


def test_gzip_is_unpacked(server: Server, tmp_path: Path) -> None:
    file = published(server, gzip.compress(CONTENT), "matrix.gz", unpack="gz")
    try_fetch(file, tmp_path / "set" / "matrix")
    assert (tmp_path / "set" / "matrix").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["matrix"]


def tar_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("data/cars/link.mat")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


def test_tar_members_of_the_folder_only(server: Server, tmp_path: Path) -> None:
    members = {"data/cars/a.mat": b"a", "./data/cars/b.mat": b"b", "data/other/c.mat": b"c", "data/cars/../../d": b"d"}
    members |= {"/data/cars/e.mat": b"e", "data/cars/deep/f.mat": b"f"}
    file = published(server, tar_of(**members), "cars.tar.gz", unpack="tar", member="data/cars")
    try_fetch(file, tmp_path / "set" / "cars")
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"set/cars/a.mat", "set/cars/b.mat"}


def npz_of(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=array)
    return buffer.getvalue()


def cut_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_middle(content: bytes) -> bytes:
    return content[: len(content) // 2] + b"oops" + content[len(content) // 2 + 4 :]


@pytest.mark.parametrize("damage", [cut_half, flip_middle])
@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.npz", npz_of(np.frombuffer(CONTENT, np.uint8)), {}),
        ("a.gz", gzip.compress(CONTENT), {"unpack": "gz"}),
        ("a.tar.gz", tar_of(**{"data/cars/a.mat": CONTENT}), {"unpack": "tar", "member": "data/cars"}),
    ],
)
def test_damage_in_transit_is_refused_and_nothing_left(
    server: Server, tmp_path: Path, name: str, content: bytes, options: dict[str, str], damage: object
) -> None:
    file = published(server, content, name, **options)
    server.files[name] = damage(content)  # type: ignore[operator]
    with pytest.raises(Error, match="what came is damaged") as caught:
        try_fetch(file, tmp_path / "set" / "target.npz")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set" / "target.npz").exists()
    assert not leftovers(tmp_path)
    server.files[name] = content
    try_fetch(file, tmp_path / "set" / "target.npz")  # and it can be had when the server is well again


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.npz", npz_of(np.frombuffer(CONTENT, np.uint8)), {}),
        ("a.gz", gzip.compress(CONTENT), {"unpack": "gz"}),
        ("a.tar.gz", tar_of(**{"data/cars/a.mat": CONTENT}), {"unpack": "tar", "member": "data/cars"}),
    ],
)
def test_a_sound_file_with_another_checksum_is_refused_unless_accepted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, options: dict[str, str]
) -> None:
    file = published(server, content, name, md5="0" * 32, **options)
    target = tmp_path / "set" / "target.npz"
    for _ in range(2):
        with monkeypatch.context() as unopened:
            unopened.setattr(tarfile, "open", lambda *_, **__: pytest.fail("an unverified archive was opened"))
            with pytest.raises(Error, match=r"not 0{32} as published; what came lies unopened .* --accept-changed"):
                try_fetch(file, target)
        assert [path.name for path in target.parent.iterdir()] == [f"{name}.fetched"]
    with pytest.warns(DataWarning, match="not 0{32} as published; it is taken as it is"):
        try_fetch(file, target, accept_changed=True)
    assert len(server.requests) == 1  # what was refused is not fetched again
    assert [path.name for path in target.parent.iterdir()] == ["target.npz"]
    assert target.is_dir() == (name == "a.tar.gz")


def test_download_passes_on_that_changed_files_are_accepted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published(server, npz_of(np.zeros(3)), "a.npz", md5="0" * 32)
    monkeypatch.setitem(
        DATASETS, "dsprites", Source("changed", lambda root: pytest.fail("not loaded"), "published", files=(file,))
    )
    with pytest.raises(Error, match="as published"):
        download("dsprites", root=tmp_path, progress=False, pause=0.0)
    with pytest.warns(DataWarning, match="as published"):
        download("dsprites", root=tmp_path, accept_changed=True, progress=False, pause=0.0)
    assert (tmp_path / "set" / "a.npz").exists()


def test_without_a_length_the_archive_itself_shows_that_it_was_cut(server: Server, tmp_path: Path) -> None:
    server.lengths, server.cuts = False, [1000]
    file = published(server, npz_of(np.frombuffer(CONTENT, np.uint8)), "a.npz")
    with pytest.raises(Error, match="what came is damaged"):
        try_fetch(file, tmp_path / "a.npz")


# --- whole data sets


def test_download_by_name_and_status(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini = write_smallnorb(tmp_path / "theirs")
    files = []
    for path in mini.files:
        content = gzip.compress(path.read_bytes(), 1)
        server.files[f"{path.name}.gz"] = content
        files.append(RemoteFile(f"{server.url}/{path.name}.gz", f"small_norb/{path.name}", md5(content), "gz"))
    source = Source("miniature", mini.load, "published", files=tuple(files))
    monkeypatch.setitem(DATASETS, "smallnorb", source)
    root = tmp_path / "ours"
    before = {row.name: row for row in status(root)}["smallnorb"]
    assert not before.present
    assert len(before.missing) == 6
    assert before.num_bytes == 0
    server.cuts = [-1, 100]
    download("smallnorb", root=root, progress=False, pause=0.0)
    assert mini.load(root).draw(3, 0)[0].shape == (3, 64, 64, 1)
    after = {row.name: row for row in status(root)}["smallnorb"]
    assert after.present
    assert after.missing == ()
    assert after.num_bytes > sum(path.stat().st_size for path in mini.files)
    num_requests = len(server.requests)
    download("smallnorb", root=root, progress=False)
    assert len(server.requests) == num_requests  # what is there is not fetched again


def test_cars_come_out_of_their_archive(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini = write_cars3d(tmp_path / "theirs")
    content = tar_of(**{f"data/cars/{path.name}": path.read_bytes() for path in mini.files})
    server.files["cars.tar.gz"] = content
    file = RemoteFile(f"{server.url}/cars.tar.gz", "cars", md5(content), "tar", "data/cars")
    monkeypatch.setitem(DATASETS, "cars3d", Source("miniature", mini.load, "published", files=(file,)))
    download("cars3d", root=tmp_path / "ours", progress=True)
    assert mini.load(tmp_path / "ours").draw(1, 0)[0].shape == (1, 64, 64, 3)


def test_status_knows_every_data_set(tmp_path: Path) -> None:
    write_dsprites(tmp_path)
    write_mpi3d(tmp_path, "real")
    write_smallnorb(tmp_path, packed=True)
    rows = {row.name: row for row in status(tmp_path)}
    assert set(rows) == set(DATASETS)
    present = {name for name, row in rows.items() if row.present and row.kind == "published"}
    assert present == {"dsprites", "color_dsprites", "mpi3d_real", "smallnorb"}
    assert rows["circles"].present
    assert rows["circles"].path is None
    assert rows["mpi3d_real"].path == tmp_path / "mpi3d_real"
    assert rows["mpi3d_real"].num_bytes == (tmp_path / "mpi3d_real" / "mpi3d_real.npz").stat().st_size


def test_nothing_to_download(tmp_path: Path) -> None:
    with pytest.raises(Error, match="'circles' is drawn by factorgrid: there is nothing to download"):
        download("circles", root=tmp_path)
    with pytest.raises(Error, match="unknown data set 'shape3d'; did you mean 'shapes3d'"):
        download("shape3d", root=tmp_path)


def test_published_addresses_and_checksums() -> None:
    for file in (file for source in DATASETS.values() for file in source.files):
        # what comes over plain http can be changed on the way: it must be verified
        assert file.url.startswith("https://") or (file.url.startswith("http://") and file.md5 is not None)
    sums = {file.md5 for source in DATASETS.values() for file in source.files if file.md5}
    assert len(sums) == 11  # six of SmallNORB, three of MPI3D, Cars3D, Shapes3D
    assert all(len(value) == 32 for value in sums)
    assert len(smallnorb.FILES) == 6


def test_no_warning_for_the_published_checksum(server: Server, tmp_path: Path) -> None:
    file = published(server, npz_of(np.zeros(3)), "a.npz")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try_fetch(file, tmp_path / "a.npz")
