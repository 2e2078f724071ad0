"""The room's door: what it offers, and that no name on it is also a file's."""

import pkgutil
import types

import factorgrid.metrics as room
from factorgrid.metrics import definitions


def test_no_name_is_both_a_file_and_a_function():
    files = {file.name for file in pkgutil.iter_modules(room.__path__)}
    assert {"table", "scoring", "definitions", "solvers"} <= files
    for name in files:
        assert isinstance(getattr(room, name, room), types.ModuleType), name


def test_every_definition_is_offered():
    for file in pkgutil.iter_modules(definitions.__path__):
        assert callable(getattr(room, file.name)), file.name
