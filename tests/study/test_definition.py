"""Reading studies: what a file means, and what is said of one that means nothing."""

import json
from pathlib import Path

import pytest

from factorgrid.errors import Error
from factorgrid.metrics import QUICK, Counts
from factorgrid.study import Study, load_study, preset_names, preset_text
from factorgrid.study.definition import read_study, slug, twin_of


def test_a_file_is_read(tiny: Study) -> None:
    assert (tiny.name, tiny.title, tiny.data, tiny.seeds) == ("tiny", "Tiny", ("circles",), (0, 1))
    assert [entry.title for entry in tiny.methods] == ["VAE", "D-VAE"]
    assert tiny.counts == Counts(num_train=50, num_test=20, num_variance_estimate=1000, downstream_sizes=(100, 1000))
    assert tiny.gap_batches == 2
    config = tiny.config("circles", tiny.methods[1])
    assert (config.model, config.steps, config.seeds) == ("dvae", 4, (0, 1))
    assert config.data_options == {"image_size": 8}


def test_json_and_back(tiny: Study) -> None:
    assert Study.from_json(json.loads(json.dumps(tiny.to_json()))) == tiny
    for name in preset_names():
        study = load_study(name)
        back = Study.from_json(json.loads(json.dumps(study.to_json())))
        assert [back.config(data, entry) for data in back.data for entry in back.methods] == [
            study.config(data, entry) for data in study.data for entry in study.methods
        ]


def test_titles_of_semi_supervised_methods_are_the_papers() -> None:
    titles = [entry.title for entry in load_study("paper-semi-supervised").methods]
    assert titles[:8] == [
        "VAE (BCE)", "VAE (L2)", "FactorVAE (BCE)", "FactorVAE (L2)", "D-VAE", "D-VAE (M)", "FactorDVAE",
        "FactorDVAE (M)",
    ]  # fmt: skip
    assert titles[8:] == titles[:8]  # with 100 and with 1,000 labels


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Tiny"', "titel = 'x'", "unknown key 'titel'; did you mean 'title'"),
        ('data = ["circles"]', "data = 3", "'data' must be a list, got 3"),
        ('data = ["circles"]', "", "a study needs 'data'"),
        ("seeds = 2", "seeds = 0", "1 to 100,000"),
        ('"mig", "st_gap"', '"migg"', "unknown metric 'migg'; did you mean 'mig'"),
        ("steps = 4", "stepz = 4", "method 'VAE': unknown configuration key 'stepz'; did you mean 'steps'"),
        ("steps = 4", "gama = 4", "method 'VAE': unknown configuration key 'gama'; did you mean 'gamma'"),
        ('model = "dvae"', 'model = "d-vae"', "unknown model 'd-vae'; did you mean 'dvae'"),
        ('model = "dvae"', 'model = "vae"', "two methods have the title 'VAE'"),
        ('model = "dvae"', 'title = "x"', "needs 'model'"),
        ('model = "dvae"', 'model = "dvae"\ngamma = 3', "model 'dvae' has no hyperparameter 'gamma'"),
        ('model = "dvae"', 'model = "factor_dvae"\ngamma = ["a"]', "'gamma' must be a number or a list of numbers"),
        ('counts = "quick"', 'counts = "quik"', "unknown counts 'quik'; did you mean 'quick'"),
        ("gap_batches = 2", "gap_batchs = 2", "unknown key of .evaluation. 'gap_batchs'; did you mean 'gap_batches'"),
        ("[data_options.circles]", "[data_options.circle]", "unknown data set in data_options 'circle'"),
        ('title = "Tiny"', "title = ", "is not a TOML file"),
        (
            "seeds = 2",
            'seeds = ["a"]',
            r"seeds must be a number of seeds \(1 to 100,000\) or a list of them, got \['a'\]",
        ),
        ('model = "dvae"', 'model = "dvae"\nseeds = "five"', "or a list of them, got 'five'"),
        ('model = "dvae"', 'model = "dvae"\nseeds = []', "or a list of them"),
        ('"mig", "st_gap"', "1", r"'metrics' must be different names, got \[1\]"),
        ('data = ["circles"]', 'data = ["circles", "circles"]', "'data' must be different names"),
        ("gap_batches = 2", 'gap_batches = "x"', "'gap_batches' of .evaluation. must be a whole number, got 'x'"),
        ("num_train = 50", 'num_train = "many"', "'num_train' of .evaluation. must be a whole number, got 'many'"),
        ("num_train = 50", 'downstream_sizes = ["a"]', "'downstream_sizes' of .evaluation. must be a whole number"),
        (
            "[data_options.circles]\nimage_size = 8",
            "[data_options]\ncircles = 8",
            "data_options.circles must be a table",
        ),
        ('model = "vae"', 'model = "vae"\nlabels = 20\nsupervision = "bcf"', "unknown supervision 'bcf'"),
        ('title = "Tiny"', 'name = "a/b"', "a study's name may have letters"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(tiny_file: Path, old: str, new: str, message: str) -> None:
    text = tiny_file.read_text()
    assert text.count(old) == 1
    tiny_file.write_text(text.replace(old, new))
    with pytest.raises(Error, match=message) as caught:
        read_study(tiny_file)
    assert str(caught.value).startswith(str(tiny_file))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 4", "steps = 4\nreduction = 'mean'", "reduction of .training. changes nothing for any method"),
        (
            'model = "vae"',
            'model = "vae"\nnum_categories = 8',
            "method 'VAE': num_categories changes nothing, 'vae' has none",
        ),
    ],
)
def test_options_that_change_nothing_are_warned_of(tiny_file: Path, old: str, new: str, message: str) -> None:
    tiny_file.write_text(tiny_file.read_text().replace(old, new))
    with pytest.warns(UserWarning, match=message) as said:
        read_study(tiny_file)
    assert len(said) == 1


def test_an_option_that_serves_one_method_alone_may_be_common(tiny_file: Path) -> None:
    tiny_file.write_text(tiny_file.read_text().replace("steps = 4", "steps = 4\nnum_categories = 8"))
    assert read_study(tiny_file).training["num_categories"] == 8


def test_unknown_studies(tmp_path: Path) -> None:
    with pytest.raises(Error, match="unknown study 'small-circle'; did you mean 'small-circles'"):
        load_study("small-circle")
    with pytest.raises(Error, match=r"none\.toml does not exist"):
        load_study(tmp_path / "none.toml")


def test_masked_methods_are_called_so_wherever_the_file_says_it(tiny_file: Path) -> None:
    text = (
        tiny_file.read_text().replace('[[methods]]\nmodel = "vae"', "").replace("steps = 4", "steps = 4\nmasked = true")
    )
    tiny_file.write_text(text + '\n[[methods]]\nmodel = "factor_dvae"\nmasked = false\n')
    assert [entry.title for entry in read_study(tiny_file).methods] == ["D-VAE (M)", "FactorDVAE"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(Error, match=r"folder\.toml cannot be read: Is a directory"):
        read_study(tmp_path / "folder.toml")


def test_presets_are_files_that_can_be_copied(tmp_path: Path) -> None:
    copy = tmp_path / "small-circles.toml"
    copy.write_text(preset_text("small-circles"))
    assert read_study(copy) == load_study("small-circles")


def test_twins_stand_in_for_published_data() -> None:
    study = load_study("paper-unsupervised").on_twins()
    assert all(name.endswith("_twin") for name in study.data)
    assert twin_of("circles") == "circles"
    with pytest.raises(Error, match="'mpi3d_real' has no rendered twin"):
        twin_of("mpi3d_real")


def test_slugs() -> None:
    assert slug("D-VAE (M)") == "d-vae_m"
    assert slug("β-TCVAE") == "beta-tcvae"
    assert slug("()") == "_"
    assert QUICK.num_train == 1000


def test_a_misspelt_data_set_is_named_and_not_its_options(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        'data = ["cirles"]\n[data_options.circles]\nimage_size = 32\n[[methods]]\nmodel = "vae"\n', encoding="utf-8"
    )
    with pytest.raises(Error, match="unknown data set 'cirles'; did you mean 'circles'"):
        load_study(str(path))


def test_titles_know_the_labels_of_the_whole_study(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("""
    data = ["circles"]
    [training]
    labels = 100
    [[methods]]
    model = "vae"
    supervision = "bce"
    [[methods]]
    model = "vae"
    supervision = "l2"
    """)
    assert [entry.title for entry in read_study(path).methods] == ["VAE (BCE)", "VAE (L2)"]
