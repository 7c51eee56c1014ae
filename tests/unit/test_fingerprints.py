import pytest

from histopatch import fingerprints

SOURCES = {
    "scripts/job.py": "from mine.data import pack\npack.run()\n",
    "mine/__init__.py": "",
    "mine/data/__init__.py": "",
    "mine/data/pack.py": "from mine.files import write\n\ndef run():\n    write(1)\n",
    "mine/files.py": '"""Files."""\n\ndef write(value):\n    """Write."""\n    # now\n    print(value)\n',
    "mine/other.py": "import mine.files\n",
}


# Modules that import `other` by where they are themselves.
RELATIVE = {
    "mine/relative/__init__.py": "",
    "mine/relative/base.py": "from .. import other\n",
    "mine/relative/sibling.py": "from .base import base\n",
    "mine/relative/cousin.py": "from ..other import anything\n",
    "mine/relative/whole.py": "from . import base\n",
}


@pytest.fixture
def digest(tmp_path):
    """Digest of a small script and library, sources replaced; each call has a folder of its own."""
    count = iter(range(100))

    def take(
        changes: dict[str, str] | None = None, script: str = "scripts/job.py", modules=(), known=None
    ) -> str:
        folder = tmp_path / str(next(count))  # digests are remembered by path
        for name, text in (SOURCES | (changes or {})).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return fingerprints.code(folder / script, modules, folder / "mine", known=known)

    return take


def test_what_sources_say_is_kept_by_their_content(digest, tmp_path, monkeypatch):
    known, edited = tmp_path / "known", {"mine/files.py": "def write(value):\n    print(value, value)\n"}
    expected = digest(RELATIVE), digest(RELATIVE | edited)
    assert expected[0] != expected[1]
    for _ in range(2):
        assert (digest(RELATIVE, known=known), digest(RELATIVE | edited, known=known)) == expected
        monkeypatch.setattr(fingerprints, "_parse", None)  # all is known by then


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"statements": "x"}'])
def test_a_damaged_note_of_what_a_source_says_is_made_anew(digest, tmp_path, content):
    known, expected = tmp_path / "known", digest()
    digest(known=known)
    for file in known.iterdir():
        file.write_bytes(content)
    assert digest(known=known) == expected


def test_the_same_code_elsewhere_has_the_same_digest(digest):
    assert digest() == digest()


@pytest.mark.parametrize(
    "text",
    [
        '"""Files."""\n\ndef write(value):\n    """Write."""\n    # later\n    print(value)  # here\n',
        '"""Other words."""\n\ndef write(value):\n    """And here."""\n    print(value)\n',
        "def write(value):\n    print(value)\n",
        '"""Files."""\n\n\ndef write(\n    value,\n):\n\n    print( value )\n',
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(digest, text):
    assert digest({"mine/files.py": text}) == digest()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scripts/job.py", "from mine.data import pack\npack.run(2)\n"),
        ("mine/data/pack.py", "from mine.files import write\n\ndef run():\n    write(2)\n"),
        ("mine/files.py", "def write(value):\n    print(value, value)\n"),  # imported by what is imported
        ("mine/files.py", "def write(value):\n    print('value')\n"),  # this text is no docstring
        ("mine/data/__init__.py", "ON_THE_WAY = True\n"),  # runs when a module of the package is imported
        ("mine/__init__.py", "ON_THE_WAY = True\n"),
    ],
)
def test_a_statement_in_what_is_imported_counts(digest, name, text):
    assert digest({name: text}) != digest()


def test_a_statement_in_a_module_that_is_not_imported_does_not_count(digest):
    assert digest({"mine/other.py": "import mine.files\nprint(1)\n"}) == digest()
    assert digest({"mine/new.py": "print(1)\n"}) == digest()


@pytest.mark.parametrize(
    "text",
    [
        "import mine.other\n",
        "import mine.other as o\n",
        "from mine import other\n",
        "from mine.other import anything\n",
        "def late():\n    from mine.other import anything\n",
        "import mine.relative.sibling\n",
        "import mine.relative.cousin\n",
        "import mine.relative.whole\n",
    ],
)
def test_every_form_of_import_is_followed(digest, text):
    script = RELATIVE | {"scripts/job.py": text}
    assert digest(script) != digest(script | {"mine/other.py": "import mine.files\nprint(1)\n"})
    assert digest(script) != digest(script | {"mine/files.py": "print(1)\n"})  # which other.py imports


LOGGED = """
import logging

def write(value):
    logging.info("writing %s of %d", value, len(value))
    if value:
        print(value)
    else:
        logging.warning(f"nothing in {value}")
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("writing %s of %d", "now writing %s, %d in all"),
        ('logging.info("writing %s of %d", value, len(value))', 'logging.debug("writing %s", value)'),
        ("    print(value)", "    print(value)\n        logging.info('written')"),
        ('    else:\n        logging.warning(f"nothing in {value}")\n', ""),
        ("import logging\n", ""),
    ],
    ids=["reworded", "other values", "added", "removed", "the module itself"],
)
def test_what_only_logs_is_prose(digest, old, new):
    assert LOGGED.count(old) == 1
    assert digest({"mine/files.py": LOGGED}) == digest({"mine/files.py": LOGGED.replace(old, new)})


def test_what_a_log_line_calls_is_code(digest):
    """A function called there may do anything."""
    plain = {"mine/files.py": "import logging\n\ndef write(value):\n    logging.info('%s', save(value))\n"}
    reworded = {"mine/files.py": plain["mine/files.py"].replace("%s", "saved as %s")}
    silent = {"mine/files.py": "import logging\n\ndef write(value):\n    logging.info('%s', value)\n"}
    assert digest(plain) == digest(reworded)
    assert digest(plain) != digest(silent)


def test_a_call_of_the_same_name_elsewhere_is_no_log_line(digest):
    text = "def write(value):\n    {}\n    print(value)\n"
    call, other = ({"mine/files.py": text.format(f"table.info({what})")} for what in ("1", "2"))
    assert digest(call) != digest(other)


def test_modules_imported_by_name_count_with_all_that_they_import(digest):
    assert digest(modules=("other",)) != digest()
    edited = digest({"mine/other.py": "import mine.files\nprint(1)\n"}, modules=("other",))
    assert edited != digest(modules=("other",))
    for module, edited in (("relative.sibling", "base.py"), ("relative.whole", "__init__.py")):
        changed = RELATIVE | {f"mine/relative/{edited}": "CHANGED = True\n"}
        assert digest(changed, modules=(module,)) != digest(RELATIVE, modules=(module,))


def test_a_module_that_is_not_there_is_an_error(digest):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        digest(modules=("nowhere",))


@pytest.mark.parametrize("declarations", ["backbones/catalogue.py", "components.py", "settings.py"])
def test_what_can_be_asked_for_is_no_code(digest, declarations):
    """What is asked for is a param of its own."""
    module = declarations.removesuffix(".py").replace("/", ".")
    script = {"scripts/job.py": f"import mine.{module}\n"}
    one, other = ({f"mine/{declarations}": f"DEFAULT = {value}\n"} for value in (1, 2))
    assert digest(script | one) == digest(script | other)
    assert (fingerprints.LIBRARY / declarations).is_file()


def test_what_is_used_of_the_declarations_counts(tmp_path):
    script = tmp_path / "job.py"
    script.write_text("print(1)\n")
    one, other = (fingerprints.code(script, declared=text) for text in ("mean 0.5", "mean 0.6"))
    assert one != other


def test_modules_that_import_each_other_have_a_digest(digest):
    assert digest({"mine/files.py": "import mine.data.pack\n"}) != digest()


def test_code_that_moves_between_modules_counts(digest):
    """The same statements under another name are other code: imports find something else."""
    script = {"scripts/job.py": "import mine.a\nimport mine.b\n"}
    before = {"mine/a.py": "x = 1\ny = 1\n", "mine/b.py": "z = 1\n"}
    after = {"mine/a.py": "x = 1\n", "mine/b.py": "y = 1\nz = 1\n"}
    assert digest(script | before) != digest(script | after)


def test_the_shipped_scripts_have_different_digests():
    scripts = sorted((fingerprints.LIBRARY.parent / "scripts").glob("*.py"))
    assert scripts
    assert len({fingerprints.code(script) for script in scripts}) == len(scripts)
