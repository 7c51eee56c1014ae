"""Fingerprints of the code that a job depends on."""

import ast
import contextlib
import functools
import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from histopatch.files import replacing

LIBRARY = Path(__file__).parent  # the package
# Declarations of what can be asked for. What a job asks for is a param of its own, so they are left out.
DECLARATIONS = ("backbones/catalogue.py", "components.py", "settings.py")
# Calls without an effect, which a log line may make.
PURE = {"float", "format", "int", "len", "max", "min", "repr", "round", "sorted", "str", "sum", "type"}
# What reads the sources: another one may read them in another way.
READER = f"{platform.python_version()} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}"


class Source(NamedTuple):
    """What a file of Python says, wherever it lies."""

    statements: str  # their digest
    imports: list[str]  # what may be modules: `package.module`, or with dots in front as in `from .. import`


@functools.cache
def code(
    script: Path,
    modules: Sequence[str] = (),
    library: Path = LIBRARY,
    declared: str = "",
    known: Path | None = None,
) -> str:
    """Digest of the statements of a script and of every library module that it imports, directly or not.

    modules: further modules that the script imports by name, dotted and relative to the library; what they
    import counts too. declared: what the script uses of the declarations, as text. Taken over the syntax
    tree without comments, docstrings, log lines and formatting, so prose reruns nothing. known: a folder in
    which is kept what files of the same content say, as parsing them takes seconds. Raises FileNotFoundError
    if a module does not exist.
    """
    sources = _closure([script, *(_module(name, library) for name in modules)], library, known)
    sources -= {library / name for name in DECLARATIONS}
    digest = hashlib.sha256(declared.encode())
    for source in sorted(sources):
        name = source.relative_to(library) if source.is_relative_to(library) else source.name
        digest.update(f"{name}\n{_read(source, known).statements}\n".encode())
    return digest.hexdigest()[:16]


def _closure(sources: list[Path], library: Path, known: Path | None) -> set[Path]:
    seen: set[Path] = set()
    queue = [*sources]
    while queue:
        source = queue.pop()
        if source not in seen:
            seen.add(source)
            queue.extend(_imports(source, library, known))
    return seen


def _module(name: str, library: Path) -> Path:
    path = library.joinpath(*name.split("."))
    found = [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    if not found:
        raise FileNotFoundError(f"{path}.py: there is no such module")
    return found[0]


@functools.cache
def _imports(source: Path, library: Path, known: Path | None) -> list[Path]:
    """Files of the library that a source imports, the packages on the way to them and to itself included."""
    modules = [_absolute(name, source, library) for name in _read(source, known).imports]
    if source.is_relative_to(library):
        modules.append(_dotted(source, library))
    return [file for module in modules for file in _files_of(module, library)]


@functools.cache
def _files_of(module: str, library: Path) -> list[Path]:
    """The file of a module and those of the packages on the way; none of what is not of the library."""
    first, *parts = module.split(".")
    if first != library.name:
        return []
    paths = [library.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    candidates = (file for path in paths for file in (path / "__init__.py", path.with_suffix(".py")))
    return [file for file in candidates if file.is_file()]


def _dotted(source: Path, library: Path) -> str:
    return ".".join([library.name, *source.relative_to(library).with_suffix("").parts])


def _absolute(name: str, source: Path, library: Path) -> str:
    """A module by its whole name; leading dots start at the package that holds the source."""
    module = name.lstrip(".")
    if module == name:
        return name
    package = _dotted(source, library).split(".")[: len(module) - len(name)]
    return ".".join([*package, *([module] if module else [])])


@functools.cache
def _read(source: Path, known: Path | None) -> Source:
    """What a file says; kept below `known` by its content, if there is such a folder."""
    content = source.read_bytes()
    if known is None:
        return _parse(content)
    kept = known / hashlib.sha256(READER.encode() + content).hexdigest()
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Source(**json.loads(kept.read_bytes()))
    said = _parse(content)
    with contextlib.suppress(OSError), replacing(kept) as temporary:  # else it is parsed again
        temporary.write_text(json.dumps(said._asdict()))
    return said


def _parse(content: bytes) -> Source:
    tree = ast.parse(content)
    imports = [*_imported(tree)]
    # `ast.unparse` gives steadier text across Python versions than `ast.dump`.
    statements = ast.unparse(_WithoutProse().visit(tree))
    return Source(hashlib.sha256(statements.encode()).hexdigest(), imports)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            # `from histopatch.data import pack` may name a module or something inside one: try both.
            inside = module if node.module is None else f"{module}."
            yield from (inside + alias.name for alias in node.names)


class _WithoutProse(ast.NodeTransformer):
    """Leaves out docstrings and log lines; of the latter stays what they call, which may have an effect."""

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt] | None:
        node = super().visit(node)
        if getattr(node, "body", True) == []:
            node.body = [ast.Pass()]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | list[ast.Expr] | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        if _is_log_line(node.value):
            return [ast.Expr(call) for argument in _arguments(node.value) for call in _effects(argument)]
        return node

    def visit_Import(self, node: ast.Import) -> ast.Import | None:
        node.names = [alias for alias in node.names if alias.name != "logging"]
        return node if node.names else None


def _is_log_line(value: ast.expr) -> bool:
    """Whether an expression is a call such as `logging.info(...)`."""
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "logging"
        and value.func.attr in {"debug", "info", "warning", "error", "exception", "critical", "log"}
    )


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _effects(node: ast.AST) -> list[ast.expr]:
    """The outermost parts of an argument that may do more than give a value."""
    pure = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PURE
    if isinstance(node, ast.Call | ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) and not pure:
        return [node]
    return [found for child in ast.iter_child_nodes(node) for found in _effects(child)]
