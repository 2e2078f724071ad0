"""Figures that show models: drawn where the models are, drawn again from saved arrays, kept where neither is."""

import dataclasses
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic import synthetic

import factorgrid as fg
from factorgrid.papers import friede2023
from factorgrid.papers.friede2023.methods import VAE
from factorgrid.papers.friede2023.model_figures import MethodPlanes, figure_8, masked_group, method_planes
from factorgrid.report import study_report
from factorgrid.report.claims import Finding
from factorgrid.report.model_arrays import as_bytes, halved
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_page import judge_claims
from factorgrid.report.values import Absent
from factorgrid.study import merged
from factorgrid.study.outcomes import Group, Kind, Outcome

PLANES = ("figure-3", "figure-10", "figure-11")
GROUPS = ("circles-vae-0", "circles-d-vae-0", "masked")


def circles(runs: dict[str, Path], arrays: Path | None = None) -> Outcome:
    """VAE and D-VAE on circles, three members each, and a masked group."""
    outcome = synthetic(
        data=("circles",), methods=("VAE", "D-VAE"), supervised=(), labels=(), seeds=3, downstream=False
    )
    kind = Kind("factor_dvae", masked=True, supervision="cross_entropy", labels=20)
    extra = Group("masked", "circles", "FactorDVAE (M)", kind, 2, "done")
    saved = {} if arrays is None else {name: arrays / f"{name}-key" for name in GROUPS}
    return dataclasses.replace(outcome, groups=(*outcome.groups, extra), runs=runs, arrays=saved)


def mig_of(outcome: Outcome, group: str) -> dict[str, float]:
    mine = outcome.table[(outcome.table["group"] == group) & (outcome.table["metric"] == "mig")]
    return dict(zip(mine["member"], mine["value"]))


@pytest.fixture(scope="module")
def there(vae: fg.Run, dvae: fg.Run, masked: fg.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report made where the models are; arrays beside it."""
    folder = tmp_path_factory.mktemp("there")
    runs = dict(zip(GROUPS, (vae.path, dvae.path, masked.path)))
    study_report(circles(runs, folder / "arrays"), folder / "report", paper=friede2023)
    return folder


def test_a_study_with_its_models_has_all_their_figures(there: Path) -> None:
    for name in (*PLANES, "figure-8", "figure-5"):
        assert (there / "report" / "figures" / f"{name}.png").exists(), name
        assert (there / "report" / "figures" / f"{name}.pdf").exists(), name
    alignment = pd.read_csv(there / "report" / "tables" / "claim-axis-alignment.csv")
    expected = []
    for title, group in (("VAE", GROUPS[0]), ("D-VAE", GROUPS[1])):
        scores = mig_of(circles({}), group)
        expected += [f"{title} {member}" for member in sorted(scores, key=lambda name: -scores[name])]
    assert list(alignment["model"]) == expected
    assert alignment["angle"].between(0, 45).all()
    text = (there / "report" / "report.html").read_text(encoding="utf-8")
    assert "of 3 planes within 15° of the axes and not torn" in text


def test_arrays_are_small_and_hold_nothing_to_unpickle(there: Path) -> None:
    files = sorted(path.name for path in (there / "arrays").iterdir())
    needed = {"circles-d-vae-0-key-planes.npz", "circles-vae-0-key-planes.npz", "masked-key-categories.npz"}
    shown = {f"{group}-key-shown-{which}.npz" for group in GROUPS[:2] for which in ("best", "median")}
    assert needed | shown <= set(files)
    for path in (there / "arrays").iterdir():
        assert path.stat().st_size < 300_000
        with np.load(path, allow_pickle=False) as found:
            assert {found[name].dtype.kind for name in found.files} <= set("fiuU")


def test_arrays_can_be_saved_without_a_report(there: Path, vae: fg.Run, tmp_path: Path) -> None:
    friede2023.save_arrays(circles({"circles-vae-0": vae.path}, tmp_path))
    (path,) = tmp_path.iterdir()
    assert path.name == "circles-vae-0-key-planes.npz"
    with np.load(path) as found, np.load(there / "arrays" / path.name) as expected:
        assert all(np.array_equal(found[name], expected[name]) for name in expected.files)
    when = path.stat().st_mtime_ns
    friede2023.save_arrays(circles({"circles-vae-0": vae.path}, tmp_path))
    assert path.stat().st_mtime_ns == when  # nothing new: nothing written


def test_a_report_made_again_from_arrays_is_the_same(there: Path, tmp_path: Path) -> None:
    study_report(circles({}, there / "arrays"), tmp_path, paper=friede2023)
    again, before = tmp_path / "report.html", there / "report" / "report.html"
    assert again.read_bytes() == before.read_bytes()
    for path in (there / "report" / "figures").glob("*.png"):
        assert (tmp_path / "figures" / path.name).read_bytes() == path.read_bytes(), path.name
    for path in (there / "report" / "tables").iterdir():
        assert (tmp_path / "tables" / path.name).read_bytes() == path.read_bytes(), path.name


def test_figures_and_verdicts_are_kept_where_neither_models_nor_arrays_are(there: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "tables").mkdir()
    kept = {name: (there / "report" / "figures" / f"{name}.png").read_bytes() for name in (*PLANES, "figure-8")}
    for name, content in kept.items():
        (tmp_path / "figures" / f"{name}.png").write_bytes(content)
    first = (there / "report" / "tables" / "claims.csv").read_bytes()
    (tmp_path / "tables" / "claims.csv").write_bytes(first)
    text = study_report(circles({}), tmp_path, paper=friede2023).read_text(encoding="utf-8")
    for name, content in kept.items():
        assert (tmp_path / "figures" / f"{name}.png").read_bytes() == content
        assert f'<figure class="block" id="{name}">' in text
    assert text.count("Kept from an earlier report, which was made where the models are") == 10
    judged = judge_claims(Cells(circles({})), friede2023.CLAIMS, tmp_path / "tables" / "claims.csv")  # and again
    found = next(one.found for one in judged if one.name == "axis-alignment")
    before = pd.read_csv(io.BytesIO(first)).set_index("name").loc["axis-alignment"]
    assert isinstance(found, Finding)
    assert (found.verdict.value, found.summary, found.test) == tuple(before[["verdict", "numbers", "test"]])


def test_results_without_models_say_so_in_place_of_the_figures(tmp_path: Path) -> None:
    cells = Cells(circles({"circles-vae-0": tmp_path / "gone"}))
    for name, group in (("figure-3", "circles-vae-0"), ("figure-8", "masked")):
        found = friede2023.FIGURES[name].make(cells)
        assert isinstance(found, Absent)
        assert found.reason.startswith(f"the models of group {group} are not beside these results")
        assert found.elsewhere


def test_a_run_that_cannot_be_read_costs_its_figures_alone(there: Path, vae: fg.Run, tmp_path: Path) -> None:
    shutil.copytree(vae.path, tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text('{"of": "another version"}')
    cells = Cells(circles({"circles-vae-0": tmp_path / "run"}))
    found = method_planes(cells, VAE)
    assert isinstance(found, Absent)
    assert "config.json" in found.reason
    assert isinstance(
        method_planes(Cells(circles({"circles-vae-0": tmp_path / "run"}, there / "arrays")), VAE), MethodPlanes
    )


def test_a_model_of_two_studies_has_one_plane(vae: fg.Run) -> None:
    whole = circles({"circles-vae-0": vae.path})
    few = dataclasses.replace(whole, table=whole.table[whole.table["seed"] > 0])
    both = merged([few, dataclasses.replace(whole, name="whole")])
    found = method_planes(Cells(both), VAE)
    assert isinstance(found, MethodPlanes)
    assert sorted(plane.member for plane in found.shown) == ["seed0", "seed1", "seed2"]
    assert all(plane.mig is not None for plane in found.shown)


@pytest.mark.parametrize("damage", [lambda data: b"PK nothing", lambda data: data[:60] + b"\xff\xff" + data[62:]])
def test_damaged_arrays_are_named(there: Path, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    whole = (there / "arrays" / "circles-vae-0-key-planes.npz").read_bytes()
    (tmp_path / "circles-vae-0-key-planes.npz").write_bytes(damage(whole))
    found = method_planes(Cells(circles({}, tmp_path)), VAE)
    assert isinstance(found, Absent)
    assert "circles-vae-0-key-planes.npz is damaged; delete it" in found.reason


def test_planes_are_codes_of_the_models_and_scores_of_the_table(vae: fg.Run, dvae: fg.Run) -> None:
    """Of several groups, sorted together."""
    outcome = circles({"circles-vae-0": vae.path, "more": dvae.path})
    extra = outcome.table[outcome.table["group"] == "circles-d-vae-0"].assign(group="more", method="VAE", model="vae")
    groups = (*outcome.groups, Group("more", "circles", "VAE", VAE, 3, "done"))
    outcome = dataclasses.replace(outcome, groups=groups, table=pd.concat([outcome.table, extra]))
    found = method_planes(Cells(outcome), VAE)
    assert isinstance(found, MethodPlanes)
    scores = [*mig_of(outcome, "circles-vae-0").values(), *mig_of(outcome, "more").values()]
    assert [plane.mig for plane in found.shown] == sorted(scores, reverse=True)
    assert found.dataset.image_shape == vae.dataset().image_shape


def test_models_of_another_kind_are_not_drawn_as_planes(masked: fg.Run) -> None:
    found = method_planes(Cells(circles({"circles-vae-0": masked.path})), VAE)
    assert isinstance(found, Absent)
    assert found.reason.endswith("was trained with 3 latents on circles, and a plane needs 2 on circles")


def test_the_masked_model_of_figure_8_is_a_dvae_of_mpi3d_if_there_is_one() -> None:
    outcome = synthetic(data=("dsprites_twin", "mpi3d_toy_twin"), seeds=2, downstream=False)
    group = masked_group(Cells(outcome))
    assert isinstance(group, Group)
    assert (group.data, group.method, group.kind.labels) == ("mpi3d_toy_twin", "D-VAE (M)", 1000)
    plain = synthetic(data=("circles",), supervised=(), labels=(), seeds=2, downstream=False)
    assert figure_8(Cells(plain)) == Absent("no masked semi-supervised method in this study's plan")


def test_images_as_bytes_and_of_half_the_size() -> None:
    images = np.random.default_rng(0).uniform(-0.1, 1.1, (2, 3, 8, 6, 3)).astype(np.float32)
    small = halved(as_bytes(images))
    assert (small.dtype, small.shape) == (np.uint8, (2, 3, 4, 3, 3))
    mean = 255 * images.clip(0, 1)[:, :, 2:4, 4:6].mean(axis=(2, 3))
    np.testing.assert_allclose(small[:, :, 1, 2], mean, atol=1.1)


def test_a_picture_that_was_drawn_shows_something(there: Path) -> None:
    for name in (*PLANES, "figure-8"):
        with Image.open(there / "report" / "figures" / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5
