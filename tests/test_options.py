"""The keywords that editors complete, and the flags that help shows, are those that there are."""

from pathlib import Path

import factorgrid.cli.declared
import factorgrid.options
from factorgrid.write_options import declared, source


def test_the_written_file_is_up_to_date() -> None:
    found = Path(factorgrid.options.__file__).read_text()
    assert found == source(), "write it again: python -m factorgrid.write_options"


def test_what_help_shows_is_up_to_date() -> None:
    found = Path(factorgrid.cli.declared.__file__).read_text()
    assert found == declared(), "write it again: python -m factorgrid.write_options"


def test_it_has_fields_of_the_configuration_hyperparameters_and_options_of_data() -> None:
    known = factorgrid.options.Options.__annotations__
    assert {"num_latents", "temperature", "noise_scale", "gamma", "omega", "image_size", "clip"} <= set(known)
