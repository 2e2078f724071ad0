"""The keywords that editors complete are those that there are."""

from pathlib import Path

import factorgrid.options
from factorgrid.write_options import source


def test_the_written_file_is_up_to_date() -> None:
    found = Path(factorgrid.options.__file__).read_text()
    assert found == source(), "write it again: python -m factorgrid.write_options"


def test_it_has_fields_of_the_configuration_hyperparameters_and_options_of_data() -> None:
    known = factorgrid.options.Options.__annotations__
    assert {"num_latents", "temperature", "noise_scale", "gamma", "omega", "image_size", "clip"} <= set(known)
