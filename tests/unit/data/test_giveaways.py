import numpy as np
import pandas as pd
import pytest

from histopatch.data.clean import SET_ASIDE
from histopatch.data.giveaways import FACTS, giveaways
from histopatch.data.pack import INDEX
from histopatch.files import write_table

COUNT = 120


@pytest.fixture
def found(tmp_path):
    """The rows of the table by fact, for an index with some columns replaced."""

    def run(rejected=(), count=COUNT, **columns) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        labels = np.arange(count) % 2
        index = pd.DataFrame(
            {
                "id": [f"{number:03d}" for number in range(count)],
                "row": range(count),
                "file": [f"{number:03d}.tif" for number in range(count)],
                "mode": "RGB",
                "mean": rng.normal(150, 10, count) - 5 * labels,
                "red": rng.normal(150, 10, count),
            }
        ).assign(**{name: [value(label) for label in labels] for name, value in columns.items()})
        types = {name: INDEX[name] for name in index}
        write_table(index.astype(types), tmp_path / "index.parquet")
        index.assign(label=labels)[["id", "label"]].to_csv(tmp_path / "clean.csv", index=False)
        left_out = pd.DataFrame(rejected, columns=["id", "reason", "row", "label"])
        left_out.to_csv(tmp_path / "rejected.csv", index=False)
        names = ("index.parquet", "clean.csv", "rejected.csv", "table.csv")
        paths = [str(tmp_path / name) for name in names]
        giveaways(*paths)
        return pd.read_csv(paths[-1]).set_index("fact")

    return run


def test_where_nothing_decides_nothing_is_said(found, caplog):
    table = found()
    assert not table.gives_away.any()
    assert not caplog.records
    assert {*table.index} == {"mean", "red", "place of the id"}  # the others have a single value
    assert table.auc.between(0.5, 0.7).all()
    assert table.auc.is_monotonic_decreasing


AWAY = {
    "suffix": {"file": lambda label: "a.png" if label else "a.jpg"},
    "format": {"format": lambda label: "PNG" if label else "JPEG"},
    "mode": {"mode": lambda label: "L" if label else "RGB"},
    "quality": {"quality": lambda label: 90 if label else 75},
    "software": {"software": lambda label: "Scanner 2" if label else "Scanner 1"},
    "bytes": {"bytes": lambda label: 27_000 + label},
    "mean": {"mean": lambda label: 100 + 20 * label},
    "red": {"red": lambda label: 100 - 20 * label},
}


@pytest.mark.input(
    "Images",
    "A class given away by suffix, format, mode, JPEG quality, software tag, size or mean colour",
    "used; a warning and the summary say which fact alone tells the classes apart, and how well",
)
@pytest.mark.parametrize(("fact", "columns"), AWAY.items(), ids=AWAY)
def test_what_decides_the_class_is_said(found, caplog, fact, columns):
    table = found(**columns)
    assert table.index[table.gives_away].tolist() == [fact]
    assert table.auc[fact] == 1
    assert table.index[0] == fact
    assert f"The {FACTS[fact].words} alone tells the classes apart (AUROC 1.00)" in caplog.text


@pytest.mark.input(
    "Images",
    "Images of one class that are set aside more often",
    "a warning and the summary say how many of each class",
)
@pytest.mark.parametrize(("lost", "warned"), [(40, True), (4, False)])
def test_a_class_whose_images_are_set_aside_is_noticed(found, caplog, lost, warned):
    """Of 60 negatives none; label rows without an image and images without a label play no part."""
    aside = [(f"x{n}", "image set aside: shape 64×64, not 96×96", n, 1) for n in range(lost)]
    other = [("y", "no image", 1, 0), ("z", "image set aside: unreadable", "", "")]
    table = found(rejected=[*aside, *other])
    assert table.auc_in_sample["set aside"] == pytest.approx((1 + lost / (60 + lost)) / 2, abs=1e-4)
    assert table.gives_away["set aside"] == warned
    assert ("set aside more often: negatives used (60); positives used (60), set" in caplog.text) == warned


def test_a_value_of_its_own_for_each_patch_tells_nothing(found):
    numbers = iter(range(COUNT))
    table = found(software=lambda label: f"version {next(numbers)}")
    assert table.auc["software"] == pytest.approx(0.5, abs=0.02)
    assert table.auc_in_sample["software"] == 1


def test_a_value_that_both_classes_have_equally_often_tells_nothing(found, caplog):
    numbers = iter(range(COUNT))
    table = found(format=lambda label: "JPEG" if next(numbers) // 2 % 2 else "PNG")
    assert table.auc_in_sample["format"] == 0.5
    assert table.auc["format"] <= 0.5
    assert not caplog.records


def test_a_number_that_differs_in_no_one_direction_is_found(found):
    """All positives have the same size, negatives less or more."""
    numbers = iter(range(2 * COUNT))  # enough for an interval above the threshold
    table = found(count=2 * COUNT, bytes=lambda label: 27_000 if label else 26_500 + 10 * next(numbers))
    assert table.auc["bytes"] > 0.95
    assert table.gives_away["bytes"]


@pytest.mark.parametrize(
    ("fact", "value"), [("quality", 80), ("software", "Scanner 1")], ids=["number", "text"]
)
def test_a_fact_that_is_known_of_one_class_only_gives_it_away(found, fact, value):
    table = found(**{fact: lambda label: value if label else np.nan})
    assert table.gives_away[fact]
    assert table.negatives[fact] == "none (60)"
    assert table.positives[fact] == f"{value} (60)"


def test_folders_and_the_order_of_ids_are_told_but_not_warned_of(found, caplog):
    """A network sees neither."""
    numbers = iter(range(COUNT))
    ordered = {0: "a", 1: "b"}
    table = found(
        file=lambda label: f"site{label}/a.tif",
        id=lambda label: f"{ordered[label]}{next(numbers):03d}",
    )
    assert table.auc["folder"] == table.auc["place of the id"] == 1
    assert table.negatives["folder"] == "site0 (60)"
    assert not table.gives_away.any()
    assert not caplog.records


def test_a_chance_finding_among_few_patches_is_not_warned_of(found, caplog):
    table = found(count=6, format=lambda label: "PNG" if label else "JPEG")
    assert table.auc_in_sample["format"] == 1
    assert not caplog.records


def test_several_facts_are_said_at_once(found, caplog):
    found(file=lambda label: "a.png" if label else "a.jpg", mode=lambda label: "L" if label else "RGB")
    (record,) = caplog.records
    assert "Others that do: colour mode (1.00). A model could" in record.getMessage()


def test_of_very_many_patches_some_are_looked_at(found, monkeypatch, caplog):
    """The same ones in every table, and of what was left out as large a share."""
    count = 50 * COUNT
    rejected = [(f"r{n}", f"{SET_ASIDE}: truncated", n, int(n % 4 == 0)) for n in range(count)]
    whole = found(rejected, count=count, format=lambda label: "PNG" if label else "JPEG")
    monkeypatch.setattr("histopatch.data.giveaways.MOST", 10 * COUNT)
    drawn = found(rejected, count=count, format=lambda label: "PNG" if label else "JPEG")
    looked_at = int(drawn.negatives["format"].removeprefix("JPEG (").removesuffix(")"))
    assert looked_at == pytest.approx(5 * COUNT, rel=0.1)
    assert drawn.auc["format"] == 1
    assert drawn.auc["set aside"] == pytest.approx(whole.auc["set aside"], abs=0.03)
    assert whole.auc["set aside"] > 0.55
    assert len(caplog.records) == 4
