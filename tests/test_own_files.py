"""Doors of a trained model: images on disk to tables, categories to pictures, one file for a model, moved images."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors import safe_open

import factorgrid as fg
from factorgrid.cli import main
from factorgrid.files import write_json, write_parquet
from factorgrid.own_files import parse_categories, write_pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Nine grey pictures below each other, one of them in a folder of its own."""
    path = tmp_path_factory.mktemp("pictures")
    (path / "sub").mkdir()
    images = np.random.default_rng(0).integers(0, 256, (9, 32, 32), dtype=np.uint8)
    for i, image in enumerate(images):
        Image.fromarray(image).save(path / ("sub/i.png" if i == 8 else f"{i}.png"))
    return path, images


def command(*arguments):
    main([str(one) for one in arguments])


def fails(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        command(*arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert len(said.strip().splitlines()) == 1
    return said


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_pictures_become_a_table_of_codes_and_categories(tiny_run, folder, tmp_path, ending):
    path, images = folder
    out = tmp_path / f"codes.{ending}"
    command("encode", tiny_run.path, path, "--out", out, "--member", "seed1")
    table = pd.read_csv(out) if ending == "csv" else pd.read_parquet(out)
    assert list(table) == ["file", "code_0", "code_1", "category_0", "category_1"]
    assert table["file"].tolist() == [*(f"{i}.png" for i in range(8)), "sub/i.png"]
    model = tiny_run.model("seed1")
    np.testing.assert_allclose(table[["code_0", "code_1"]], model.encode(images[..., None]), atol=1e-6)
    np.testing.assert_array_equal(table[["category_0", "category_1"]], model.categorize(images[..., None]))
    pictures = tmp_path / "back"
    command("generate", tiny_run.path, "--member", "seed1", "--table", out, "--out", pictures)
    first = np.asarray(Image.open(pictures / "0000.png"))
    np.testing.assert_allclose(first, 255 * model.decode(model.categorize(images[:1, ..., None]))[0, ..., 0], atol=0.51)


def test_an_npz_is_encoded_by_row_and_colour_is_refused_by_a_grey_model(tiny_run, folder, tmp_path, capsys):
    _, images = folder
    np.savez(tmp_path / "grey.npz", images=images)
    np.savez(tmp_path / "colour.npz", images=np.stack([images] * 3, axis=-1))
    assert fg.encode_files(tiny_run.model(0), tmp_path / "grey.npz")["file"].tolist() == [str(i) for i in range(9)]
    said = fails(capsys, "encode", tiny_run.path, tmp_path / "colour.npz", "--out", tmp_path / "x.csv")
    assert "colour images" in said
    assert "should end in .csv or .parquet" in fails(capsys, "encode", tiny_run.path, tmp_path, "--out", "x.txt")
    said = fails(capsys, "encode", tiny_run.path, "circles", "--out", tmp_path / "x.csv")
    assert "'circles' is a data set" in said
    assert "fg.load_dataset('circles')" in said


def test_pictures_of_categories(tiny_run, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    command("generate", tiny_run.path, "--categories", "3,*", "0,0", "--out", out)
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (3 * 34 - 2, 3 * 34 - 2)  # nine pictures, two pixels between them
    wanted = tiny_run.model(tiny_run.best_member("st_gap")).decode(np.array([[3, 1]]))[0, ..., 0]
    np.testing.assert_allclose(sheet[:32, 34:66], 255 * wanted, atol=0.51)
    for bad, message in {"3": "2 whole numbers", "3,x": "2 whole numbers", "3,8": "within 0..7"}.items():
        assert message in fails(capsys, "generate", tiny_run.path, "--categories", bad, "--out", out)
    assert "either" in fails(capsys, "generate", tiny_run.path)
    (tmp_path / "odd.csv").write_text("category_0\n1\n")
    assert "no column category_1" in fails(capsys, "generate", tiny_run.path, "--table", tmp_path / "odd.csv")
    with pytest.raises(fg.Error, match=r"no categories; give its codes in a table, .* --table"):
        parse_categories(fg.load_pretrained("vae-circles"), ["1,2"])


def test_draws_from_the_prior(tiny_run, tmp_path, capsys):
    command("sample", tiny_run.path, "--num", "5", "--out", tmp_path / "drawn")
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [f"000{i}.png" for i in range(5)]
    model = tiny_run.model(0)
    np.testing.assert_array_equal(model.sample(3, seed=1), model.sample(3, seed=1))
    assert (model.sample(3, seed=1) != model.sample(3, seed=2)).any()
    assert "num must be at least 1" in fails(capsys, "sample", tiny_run.path, "--num", "0")


def test_one_file_is_a_whole_model(tiny_run, folder, tmp_path, capsys):
    _, images = folder
    file = tmp_path / "model.safetensors"
    command("export", tiny_run.path, "--member", "1", "--out", file)
    model = fg.load_model(file)
    np.testing.assert_array_equal(model.encode(images[..., None]), tiny_run.model(1).encode(images[..., None]))
    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata()
    assert json.loads(metadata["config"])["seeds"] == [1]
    card = json.loads(metadata["card"])
    assert card["title"] == "D-VAE on circles"
    assert set(card["scores"]) >= {"mig", "st_gap_loss"}
    command("encode", file, folder[0], "--out", tmp_path / "codes.csv")
    assert "is a file of one model" in fails(capsys, "encode", file, folder[0], "--member", "1")
    assert "no exported model" in fails(capsys, "encode", tiny_run.weights("seed0"), folder[0])
    assert "should end in" in fails(capsys, "export", tiny_run.path, "--out", "model.xyz")
    assert "one member is needed" in fails(capsys, "export", tiny_run.path, "--member", "all")


def test_a_run_whose_images_have_moved(folder, tmp_path, capsys):
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(folder[0], old)
    options = {"steps": 2, "architecture": "mlp", "num_latents": 2, "quiet": True, "image_size": 32}
    run = fg.train(data=str(old), model="vae", out=tmp_path / "run", **options)
    old.rename(new)
    said = fails(capsys, "traverse", run.path)
    assert f"trained on the images at {old}, which are not there" in said
    assert "--data" in said
    command("traverse", run.path, "--data", new)
    assert "images of 32 x 32 x 1 and factors of 20, 20 values" in fails(
        capsys, "traverse", run.path, "--data", "circles"
    )


def test_files_of_a_run_that_do_not_belong_together(tiny_run, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(tiny_run.path, path)
    described = json.loads((path / "config.json").read_text())
    write_json(path / "config.json", {**described, "config": {**described["config"], "learning_rate": 0.5}})
    with pytest.raises(fg.Error, match="does not fit its own identity"):
        fg.load_run(path)
    write_json(path / "config.json", described)
    table = pd.read_parquet(path / "members.parquet")
    for changed in (table.assign(run="0"), table.iloc[:1], table.assign(member=["a", "b"]), table[["seed"]]):
        write_parquet(path / "members.parquet", changed)
        with pytest.raises(fg.Error, match=r"members\.parquet does not fit config\.json"):
            fg.load_run(path)


def test_terms_are_reported_while_training(tmp_path):
    seen = []
    options = {"steps": 4, "architecture": "mlp", "num_latents": 2, "quiet": True, "image_size": 8}
    fg.train(data="circles", model="vae", seeds=2, out=tmp_path / "run", on_step=lambda *a: seen.append(a), **options)
    step, terms = seen[-1]
    assert step == 4
    assert terms["loss"].shape == (2,)
    assert np.isfinite(terms["loss"]).all()


def test_pictures_are_png_files(tmp_path):
    with pytest.raises(fg.Error, match=r"to a \.png file or into a folder, got .*g\.jpg"):
        write_pictures(tmp_path / "g.jpg", np.zeros((2, 8, 8, 1)))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_no_unknown_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arr.npy").write_bytes(b"")
    with pytest.raises(fg.Error, match="neither an npz file nor a folder"):
        fg.load_dataset("arr.npy")


def test_a_misspelt_option_of_a_data_set():
    with pytest.raises(fg.Error, match="unknown option of a data set 'image_sise'; did you mean 'image_size'"):
        fg.load_dataset("circles", image_sise=32)


def test_a_metric_without_a_matrix_is_refused_before_scoring(tiny_run, capsys):
    with pytest.raises(SystemExit):
        command("evaluate", tiny_run.path, "--metrics", "mig", "--heat-maps", "code_usage")
    told = capsys.readouterr()
    assert "there is no matrix behind 'code_usage'" in told.err
    assert "scoring" not in told.err + told.out


def test_the_best_of_a_run_without_scores_is_said_to_be_the_first(tiny_run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_run.path, copy, ignore=shutil.ignore_patterns("scores.parquet"))
    command("export", copy, "--out", tmp_path / "m.safetensors")
    assert f"seed0, the first: not scored yet; to know the best: factorgrid evaluate {copy}" in capsys.readouterr().err


def test_what_is_no_run_is_called_what_it_is(tiny_run, tmp_path):
    fg.export(tiny_run, 0, tmp_path / "m.safetensors")
    with pytest.raises(fg.Error, match="is a file, and a run is a folder"):
        fg.load_run(tmp_path / "m.safetensors")
    write_json(tmp_path / "study.json", {})
    with pytest.raises(fg.Error, match="is a study; its runs are in"):
        fg.load_run(tmp_path)
