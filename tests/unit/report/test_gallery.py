import numpy as np
import pytest

from histopatch.report.gallery import SUSPECTS, mistakes, suspects

COLUMNS = "rank,id,label,probability,slide"


@pytest.fixture
def files(tmp_path):
    """A pack of 30 patches in another order than their ids, and what is known about some."""
    ids = [f"p{i}" for i in range(30)]
    greys = np.arange(30, dtype=np.uint8)[:, None, None, None] * 8
    np.save(tmp_path / "pack.npy", np.broadcast_to(greys, (30, 32, 32, 3)))
    write = {
        "index.csv": ["id,row", *(f"{name},{29 - i}" for i, name in enumerate(ids))],
        "confident.csv": [
            "id,label,probability,centre_share",
            "p0,0,0.01,0.1", "p1,0,0.97,0.2", "p2,1,0.03,", "p3,1,0.99,0.1",
        ],
        "suspects.csv": [COLUMNS, *(f"{i + 1},p{i},{i % 2},0.1,s{i}" for i in range(29))],
        "none.csv": [COLUMNS],
        "without.csv": [COLUMNS, "1,p7,1,0.2,"],
    }  # fmt: skip
    for name, lines in write.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    np.save(tmp_path / "maps.npy", np.zeros((4, 8, 8), np.float32))
    return {name: str(tmp_path / name) for name in (*write, "pack.npy", "maps.npy")}


def test_only_wrong_predictions_are_mistakes(files):
    found = mistakes(files["confident.csv"], files["maps.npy"], files["pack.npy"], files["index.csv"])
    assert [patch.id for patch in found] == ["p1", "p2"]
    assert found[0].facts == ["negative, taken for positive", "probability 0.9700"]
    assert found[1].facts[0] == "positive, taken for negative"
    # The map of p2 is too coarse, or without any evidence.
    assert [len(patch.pictures) for patch in found] == [len(patch.alts) for patch in found] == [2, 1]
    # Different patches, each of 32×32 pixels.
    assert found[0].pictures[0].uri != found[1].pictures[0].uri
    assert found[0].pictures[0][1:] == (32, 32)


def test_suspects_are_shown_in_order_and_not_all(files):
    found = suspects(files["suspects.csv"], files["pack.npy"], files["index.csv"])
    assert [patch.id for patch in found] == [f"p{i}" for i in range(SUSPECTS)]
    assert found[1].facts == ["2. labelled positive", "probability 0.1000", "slide s1"]


def test_a_slide_that_is_not_known_is_not_named(files):
    (patch,) = suspects(files["without.csv"], files["pack.npy"], files["index.csv"])
    assert patch.facts == ["1. labelled positive", "probability 0.2000"]


def test_without_suspects_there_is_nothing_to_show(files):
    assert suspects(files["none.csv"], files["pack.npy"], files["index.csv"]) == []
