"""The command line: one file a command, loaded when it is typed.

Contract: a command's module has a dataclass `Options` (or a union of them), whose fields are its flags and whose
docstring is its help, and `run(options)`; where it keeps what was done when it is interrupted, also `STOPPED`, which
says how to go on. Flags of training follow from `Config`. May import: everything. To add a command: write a file, and
give it a line in `COMMANDS`.
"""

import importlib
import sys
import warnings
from typing import Any

from factorgrid.errors import Error, unknown_name

COMMANDS: dict[str, str] = {
    "demo": "train five VAEs and five D-VAEs on Circles, score both, and draw how their latent planes differ",
    "data": "list data sets, download the published ones, look at them",
    "train": "train a group of models at once: hyperparameter values times seeds",
    "evaluate": "score every member of a run",
    "traverse": "draw a run: reconstructions, traversals, KL, curves, latent planes",
    "refine": "sharper pictures: train a larger decoder on the categories of a run, whose codes stay as they are",
    "watch": "a page that refreshes itself while a run or a study trains: curves, reconstructions, traversals",
    "explore": "one HTML page in which a model's decoder runs: sliders, categories, use",
    "encode": "codes and categories of your images, as a table",
    "generate": "pictures of given categories",
    "sample": "pictures from a model's prior",
    "export": "one model in one file that says what it is",
    "models": "list the trained models that come with the library, and show their cards",
    "study": "many methods, data sets and seeds from one file: plan, run, resume, report",
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `factorgrid`. What a user can get wrong is one line on stderr and exit status 2."""
    warnings.showwarning = _say_warning
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except Error as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("stopped", 130)
    except BrokenPipeError:
        sys.exit(1)
    except MemoryError as error:
        _fail(f"out of memory ({error}); use fewer seeds, a smaller batch, or --resident host", 2)
    except RuntimeError as error:
        # the device's own allocator says so in words
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _fail("out of device memory; use fewer seeds, a smaller batch, or --resident host", 2)


def _run(arguments: list[str]) -> None:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if name in ("-h", "--help"):
        print(_overview())
    elif name == "--version":
        from factorgrid import __version__

        print(f"factorgrid {__version__}")
    elif name not in COMMANDS:
        raise unknown_name("command", name, COMMANDS)
    else:
        import tyro

        module = importlib.import_module(f"factorgrid.cli.{name}")
        options: Any = tyro.cli(module.Options, args=rest, prog=f"factorgrid {name}")
        try:
            module.run(options)
        except KeyboardInterrupt:
            if not hasattr(module, "STOPPED"):
                raise
            _fail(f"stopped; {module.STOPPED}", 130)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: factorgrid COMMAND ...",
            "",
            "Learn disentangled discrete representations: train groups of models, score them, look at them.",
            "",
            *lines,
            "",
            "What one takes: factorgrid COMMAND --help. Which version this is: factorgrid --version.",
        ]
    )


def _fail(text: str, status: int) -> None:
    print(f"factorgrid: {text}", file=sys.stderr)
    sys.exit(status)


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"factorgrid: warning: {message}", file=sys.stderr)
