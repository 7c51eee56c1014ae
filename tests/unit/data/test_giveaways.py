import numpy as np
import pandas as pd
import pytest

from histopatch.data.giveaways import giveaways

COUNT = 120


@pytest.fixture
def found(tmp_path):
    """The rows of the table by fact, for an index with some columns replaced."""

    def run(rejected=(), **columns) -> pd.DataFrame:
        rng = np.random.default_rng(0)
        labels = np.arange(COUNT) % 2
        index = pd.DataFrame(
            {
                "id": [f"{number:03d}" for number in range(COUNT)],
                "row": range(COUNT),
                "file": [f"{number:03d}.tif" for number in range(COUNT)],
                "mode": "RGB",
                "mean": rng.normal(150, 10, COUNT) - 5 * labels,
                "red": rng.normal(150, 10, COUNT),
            }
        ).assign(**{name: [value(label) for label in labels] for name, value in columns.items()})
        index.to_csv(tmp_path / "index.csv", index=False)
        index.assign(label=labels)[["id", "label"]].to_csv(tmp_path / "clean.csv", index=False)
        left_out = pd.DataFrame(rejected, columns=["id", "reason", "row", "label"])
        left_out.to_csv(tmp_path / "rejected.csv", index=False)
        paths = [str(tmp_path / f"{name}.csv") for name in ("index", "clean", "rejected", "table")]
        giveaways(*paths)
        return pd.read_csv(paths[-1]).set_index("fact")

    return run


def test_where_nothing_decides_nothing_is_said(found, caplog):
    table = found()
    assert not table.gives_away.any()
    assert not caplog.records
    assert {*table.index} == {"mean", "red"}  # the others have a single value
    assert table.auc.min() >= 0.5


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
    assert f"The {fact} alone tells the classes apart (AUROC 1.00)" in caplog.text


@pytest.mark.input(
    "Images", "Images of one class that are set aside more often", "a warning and the summary say so"
)
def test_a_class_whose_images_are_set_aside_is_noticed(found):
    aside = [(f"x{n}", "image set aside: shape 64×64, not 96×96", n, 1) for n in range(200)]
    other = [("y", "no image", 1, 0), ("z", "image set aside: unreadable", "", "")]
    table = found(rejected=[*aside, *other])
    assert table.auc["set aside"] == pytest.approx((1 + 200 / 260) / 2, abs=0.02)
    assert table.gives_away["set aside"]
    assert table.positives["set aside"] == "yes (200), no (60)"


def test_a_value_of_its_own_for_each_patch_tells_nothing(found):
    numbers = iter(range(COUNT))
    table = found(software=lambda label: f"version {next(numbers)}")
    assert table.auc["software"] == pytest.approx(0.5, abs=0.02)


def test_a_fact_that_is_known_of_some_is_judged_on_those(found):
    table = found(quality=lambda label: 80 if label else np.nan)
    assert "quality" not in table.index
