import os
from pathlib import Path

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


@pytest.fixture
def digest(tmp_path):
    """Digest of a small script and library, sources replaced; each call has a folder of its own."""
    count = iter(range(100))

    def take(changes: dict[str, str] | None = None, modules: tuple[str, ...] = ()) -> str:
        folder = tmp_path / str(next(count))  # digests are remembered by path
        for name, text in (SOURCES | (changes or {})).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return fingerprints.code(folder / "scripts/job.py", modules, folder / "mine")

    return take


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
    ],
)
def test_every_form_of_import_is_followed(digest, text):
    script = {"scripts/job.py": text}
    assert digest(script) != digest(script | {"mine/other.py": "import mine.files\nprint(1)\n"})
    assert digest(script) != digest(script | {"mine/files.py": "print(1)\n"})  # which other.py imports


def test_a_module_that_is_imported_by_name_counts_with_all_that_it_imports(digest):
    script = {"scripts/job.py": "import importlib\n"}
    modules = ("data.pack",)
    before = digest(script, modules)
    assert before != digest(script)
    assert before == digest(script | {"mine/other.py": "print(1)\n"}, modules)
    for name in ("mine/data/pack.py", "mine/data/__init__.py", "mine/files.py"):
        assert before != digest(script | {name: "print(1)\n"}, modules), name


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


@pytest.fixture
def images(tmp_path):
    for name in ("b.tif", "a.tif", "c.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def names_digest(folder: Path) -> str:
    fingerprints.image_names.cache_clear()  # as a new process would see the folder
    return fingerprints.image_names(folder)


def test_additions_and_removals_of_images_are_seen(images):
    before = names_digest(images)
    (images / "d.tif").write_bytes(b"")
    added = names_digest(images)
    (images / "a.tif").unlink()
    removed = names_digest(images)
    assert len({before, added, removed}) == 3
    (images / "d.tif").unlink()
    (images / "a.tif").write_bytes(b"")
    assert names_digest(images) == before


def test_a_renamed_image_is_seen(images):
    before = names_digest(images)
    (images / "a.tif").rename(images / "z.tif")
    assert names_digest(images) != before


def test_stray_files_and_touches_are_not_seen(images):
    before = names_digest(images)
    (images / "Thumbs.db").write_bytes(b"x")
    (images / "notes.txt").write_text("x")
    os.utime(images / "a.tif", (1, 1))
    os.utime(images, (1, 1))
    assert names_digest(images) == before


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        names_digest(tmp_path / "nowhere")
