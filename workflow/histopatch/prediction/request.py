"""What a call of the prediction workflow asks for, checked before any job."""

from dataclasses import dataclass
from pathlib import Path

from histopatch.errors import InputError
from histopatch.export.description import DESCRIPTION, WEIGHTS, read_description
from histopatch.slides.inputs import are_slides
from histopatch.statistics.operating_points import BALANCED

USAGE = "make predict MODEL=<folder of a model> INPUT=<folder, table, HDF5 file or slide>"
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
ARRAYS = (".h5", ".hdf5")
PATCHES = ("folder", "table", "hdf5")  # the kinds of input that are patches
SLIDES = "slides"  # the kind that is tiled


@dataclass(frozen=True)
class Request:
    """A model, an input and what to make of the probabilities; plain values, as a job takes them."""

    model: str  # the folder of the exported model
    input: str
    kind: str  # of input
    out: str  # the folder of the results
    point: str  # the operating point that patches are called at
    abstain: str  # the share of validation patches that the model would abstain on
    description: dict  # of the model

    @property
    def root(self) -> str:
        """The folder that the names of images start from."""
        return self.input if self.kind == "folder" else str(Path(self.input).parent)

    @property
    def model_files(self) -> dict[str, str]:
        return {
            "description": str(Path(self.model, DESCRIPTION)),
            "weights": str(Path(self.model, WEIGHTS)),
        }

    @property
    def components(self) -> list[str]:
        """The modules that the networks use besides those that all do, dotted and relative to the package."""
        networks = [network["model"] for network in self.description["networks"]]
        # Runs from before stain normalisation was a choice do not say.
        stains = [network.get("stain_normalisation") for network in networks]
        modules = {f"backbones.{network['source']}" for network in networks}
        return sorted(modules | {f"stain.{stain['method']}" for stain in stains if stain})


def read_request(config: dict) -> Request:
    """The request of `snakemake --config model=… input=… out=… point=… abstain=…`.

    `out`, `point` and `abstain` have defaults: results/predictions/<name of the input>, `youden`, and 0.1.
    Raises InputError, which names what is wrong as `make predict` has it.
    """
    given = {name: str(value) for name, value in config.items() if value not in (None, "")}
    for name in ("model", "input"):
        if name not in given:
            raise InputError(f"{name.upper()} is missing; {USAGE}")
    model, path = given["model"], given["input"]
    description = read_description(model)
    if "appearance" not in description:
        raise InputError(
            f"{model}: its {DESCRIPTION} does not say how its training patches look; export it again"
        )
    kind = find_kind(path, description["patch_size"])
    whole = Path(path).resolve()
    out = given.get("out") or f"results/predictions/{whole.name if whole.is_dir() else whole.stem}"
    _check_out(out, path)
    return Request(
        model,
        path,
        kind,
        out,
        _one_of("POINT", given.get("point", BALANCED), description["operating_points"]),
        _one_of("ABSTAIN", given.get("abstain", "0.1"), ["0", *_shares(description)]),
        description,
    )


def find_kind(path: str, patch_size: int) -> str:
    """Which kind of input lies at a path, for a model of patches of that size.

    Raises InputError where it is none.
    """
    if not Path(path).exists():
        raise InputError(f"{path}: no such file or folder; INPUT names what to predict")
    if path.lower().endswith(ARRAYS):
        return "hdf5"
    if are_slides(path, TABLES, patch_size):
        return SLIDES
    if Path(path).is_dir():
        return "folder"
    if path.lower().endswith(TABLES):
        return "table"
    raise InputError(
        f"{path}: INPUT is a folder of images, a table ({', '.join(TABLES)}), an HDF5 file "
        f"({', '.join(ARRAYS)}), a slide or an image to be tiled"
    )


def _check_out(out: str, path: str) -> None:
    if set(out) & set("{}"):
        raise InputError(f"{out}: OUT cannot have braces in its name; name another folder")
    if Path(out).exists() and not Path(out).is_dir():
        raise InputError(f"{out}: OUT is a file; name a folder")
    if Path(path).is_dir() and Path(out).resolve().is_relative_to(Path(path).resolve()):
        raise InputError(f"{out}: OUT lies inside INPUT; name a folder elsewhere")


def _one_of(name: str, value: str, known) -> str:
    if value not in known:
        raise InputError(f"{name}: {value!r} is not known to this model; use one of {', '.join(known)}")
    return value


def _shares(description: dict) -> list[str]:
    (first, *_) = description["operating_points"].values()
    return [*first["abstaining"]]
