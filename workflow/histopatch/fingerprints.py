"""Fingerprints of what a job depends on besides its files: its code and the names of its images."""

import ast
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

LIBRARY = Path(__file__).parent  # the package
# Declarations of what can be asked for. What a job asks for is a param of its own, so they are left out.
DECLARATIONS = ("backbones/catalogue.py", "components.py", "settings.py")
# Calls without an effect, which a log line may make.
PURE = {"float", "format", "int", "len", "max", "min", "repr", "round", "sorted", "str", "sum", "type"}


@functools.cache
def code(script: Path, modules: Sequence[str] = (), library: Path = LIBRARY, declared: str = "") -> str:
    """Digest of the statements of a script and of every library module that it imports, directly or not.

    modules: further modules that the script imports by name, dotted and relative to the library; what they
    import counts too. declared: what the script uses of the declarations, as text. Taken over the syntax
    tree without comments, docstrings, log lines and formatting, so prose reruns nothing. Raises
    FileNotFoundError if a module does not exist.
    """
    sources = _closure([script, *(_module(name, library) for name in modules)], library)
    sources -= {library / name for name in DECLARATIONS}
    digest = hashlib.sha256(declared.encode())
    for source in sorted(sources):
        name = source.relative_to(library) if source.is_relative_to(library) else source.name
        digest.update(f"{name}\n{_statements(source)}\n".encode())
    return digest.hexdigest()[:16]


def names(ids: Sequence[str], files: Sequence[str]) -> str:
    """Digest of the names of images: sees additions and removals, and nothing else.

    ids and files: as of `data.images.Images`; the same of both in another order is another digest.
    """
    text = "\n".join([*ids, *files])
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _closure(sources: list[Path], library: Path) -> set[Path]:
    seen: set[Path] = set()
    queue = [*sources]
    while queue:
        source = queue.pop()
        if source not in seen:
            seen.add(source)
            queue.extend(_imports(source, library))
    return seen


def _module(name: str, library: Path) -> Path:
    path = library.joinpath(*name.split("."))
    found = [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    if not found:
        raise FileNotFoundError(f"{path}.py: there is no such module")
    return found[0]


@functools.cache
def _imports(source: Path, library: Path) -> list[Path]:
    """Files of the library that a source imports, the packages on the way to them and to itself included."""
    modules = []
    if source.is_relative_to(library):
        modules.append(_dotted(source, library))
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, source, library)
            # `from histopatch.data import pack` may name a module or something inside one: try both.
            modules += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    files = []
    for module in modules:
        parts = module.split(".")
        if parts[0] != library.name:
            continue
        for depth in range(1, len(parts) + 1):
            path = library.joinpath(*parts[1:depth])
            files += [f for f in (path / "__init__.py", path.with_suffix(".py")) if f.is_file()]
    return files


def _dotted(source: Path, library: Path) -> str:
    return ".".join([library.name, *source.relative_to(library).with_suffix("").parts])


def _absolute(node: ast.ImportFrom, source: Path, library: Path) -> str:
    """The module of a `from … import`, whose leading dots start at the package that holds the source."""
    if node.level == 0:
        return node.module
    package = _dotted(source, library).split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


@functools.cache
def _statements(source: Path) -> str:
    tree = _WithoutProse().visit(ast.parse(source.read_text()))
    # `ast.unparse` gives steadier text across Python versions than `ast.dump`.
    return ast.unparse(tree)


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
