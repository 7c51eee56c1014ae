"""Fingerprints of what a job depends on but Snakemake does not see: its code and its image folder."""

import ast
import functools
import hashlib
from pathlib import Path

from histopatch.data.layout import list_images

LIBRARY = Path(__file__).parent  # the package


@functools.cache
def code(script: Path, modules: tuple[str, ...] = (), library: Path = LIBRARY) -> str:
    """Digest of the statements of a script and of every library module that it imports, directly or not.

    modules: those that the script imports by name, which no import statement shows; dotted, and relative to
    the package. Taken over the syntax tree without comments, docstrings and formatting, so prose reruns
    nothing.
    """
    named = [file for module in modules for file in _files(module.split("."), library)]
    sources = sorted(_closure([script, *named], library))
    digest = hashlib.sha256()
    for source in sources:
        name = source.relative_to(library) if source.is_relative_to(library) else source.name
        digest.update(f"{name}\n{_statements(source)}\n".encode())
    return digest.hexdigest()[:16]


@functools.cache
def image_names(folder: Path) -> str:
    """Digest of the names of the images in a folder: sees additions and removals, and nothing else.

    Takes about 0.5 s for 277,000 files. Raises FileNotFoundError when there is no such folder.
    """
    digest = hashlib.sha256()
    for name in list_images(folder):
        digest.update(f"{name}\n".encode())
    return digest.hexdigest()[:16]


def _closure(sources: list[Path], library: Path) -> set[Path]:
    seen: set[Path] = set()
    queue = list(sources)
    while queue:
        source = queue.pop()
        if source not in seen:
            seen.add(source)
            queue.extend(_imports(source, library))
    return seen


def _imports(source: Path, library: Path) -> list[Path]:
    """Files of the library that a source imports, the packages on the way to them included."""
    modules = []
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            # `from histopatch.data import pack` may name a module or something inside one: try both.
            modules += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    files = []
    for module in modules:
        package, *parts = module.split(".")
        if package == library.name:
            files += _files(parts, library)
    return files


def _files(parts: list[str], library: Path) -> list[Path]:
    """The file of a module and those of the packages on the way to it."""
    paths = [library.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    return [
        file for path in paths for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()
    ]


@functools.cache
def _statements(source: Path) -> str:
    tree = ast.parse(source.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_prose(statement)] or [ast.Pass()]
    # `ast.unparse` gives steadier text across Python versions than `ast.dump`.
    return ast.unparse(tree)


def _is_prose(statement: ast.stmt) -> bool:
    """A string on its own: a docstring."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
