"""YAML files of the configuration, read strictly: what YAML itself lets pass in silence is refused."""

from pathlib import Path

import yaml

from histopatch.errors import InputError
from histopatch.faults import kind

MAX_NODES = 100_000  # with every alias written out; a few lines of aliases can stand for billions


def read_yaml(path: str | Path) -> dict:
    """The mapping in a YAML file.

    Raises InputError, which names the file and the line, where the file is missing, empty, no UTF-8, no YAML
    or no mapping, where a mapping has a key twice, and where aliases make it endless or huge.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: could not be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    try:
        return _construct(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = str(error.problem or error.context)
        if "'\\t'" in problem:
            problem = "a tab; indent with spaces"
        raise InputError(f"{path}{line}: {_one_line(problem)}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # a date or number that is none
        raise InputError(f"{path}: {_one_line(error)}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; write it with fewer levels") from None


def _construct(text: str) -> dict:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            found = "empty" if root is None else f"a {root.id} at the top"
            raise _fault(root, f"{found}; a configuration is a mapping: `key: value`")
        _count(root, {})
        _check_keys(root, loader, set())
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _fault(node: yaml.Node | None, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node and node.start_mark)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _count(node: yaml.Node, counts: dict[yaml.Node, int]) -> int:
    """How many nodes a node stands for; each is visited once, so that aliases cost nothing.

    counts: those of the nodes visited before, 0 while the count of a node is not known yet.
    """
    if node not in counts:
        counts[node] = 0
        counts[node] = 1 + sum(_count(child, counts) for child in _children(node))
        if counts[node] > MAX_NODES:
            raise _fault(node, f"more than {MAX_NODES} values with all aliases written out; use fewer")
    elif not counts[node]:
        raise _fault(node, "an alias that contains itself; write it out")
    return counts[node]


def _check_keys(node: yaml.Node, loader: yaml.SafeLoader, seen: set[yaml.Node]) -> None:
    """Refuse a key that a mapping has twice; keys that `<<` merges may be given again."""
    if node in seen:
        return
    seen.add(node)
    if isinstance(node, yaml.MappingNode):
        lines: dict = {}
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault(key_node, f"a {key_node.id} as a key; keys are names")
            key = "<<" if key_node.value == "<<" else loader.construct_object(key_node)
            if not isinstance(key, str):
                name = key_node.value
                raise _fault(
                    key_node, f"YAML reads the name {name} as {kind(key)}; put it in quotes: '{name}'"
                )
            line = key_node.start_mark.line + 1
            if key in lines:
                raise _fault(
                    key_node,
                    f"the key {key_node.value!r} is given twice, first in line {lines[key]}; keep one",
                )
            lines[key] = line
    for child in _children(node):
        _check_keys(child, loader, seen)


def _one_line(message) -> str:
    return " ".join(str(message).split())
