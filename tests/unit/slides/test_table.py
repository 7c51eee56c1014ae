import json

import pandas as pd
import pytest

from histopatch.slides.table import write_slides


@pytest.fixture
def written(tmp_path):
    """Write the tables of slides with these highest probabilities, None for one that could not be used."""

    def write(scores: list[float | None], labels: dict[str, str]):
        names = [f"s{number}" for number in range(len(scores))]
        for name, score in zip(names, scores, strict=True):
            found = {"slide": f"in/{name}.svs", "tiles": 20, "background": 5, "max": score}
            found |= {"mean_top_k": score, "share_above": score, "point": "youden", "threshold": 0.5}
            if score is None:
                found |= {"tiles": 0, "reason": f"{name}: damaged"}
            (tmp_path / f"{name}.json").write_text(json.dumps(found))
        made = [str(tmp_path / name) for name in ("slides.csv", "aurocs.csv", "summary.txt")]
        write_slides(names, [str(tmp_path / f"{name}.json") for name in names], labels, *made)
        return pd.read_csv(made[0]), pd.read_csv(made[1]), (tmp_path / "summary.txt").read_text()

    return write


def test_scores_and_aurocs(written):
    labels = {"s0": "0", "s1": "0", "s2": "1", "s3": "1", "s4": "1", "s5": ""}
    slides, aurocs, summary = written([0.1, 0.6, 0.5, 0.9, None, 0.3], labels)
    assert slides.slide.tolist() == [f"s{number}" for number in range(6)]
    assert slides["max"].isna().tolist() == [False] * 4 + [True, False]
    assert slides.reason.dropna().tolist() == ["s4: damaged"]
    assert aurocs.score.tolist() == ["max", "mean_top_k", "share_above"]
    assert (aurocs.slides == 4).all() and (aurocs.auc == 0.75).all()
    assert "100 tiles of 5 slides" in summary and "1 of 6 slides could not be used: s4: damaged" in summary
    assert summary.count("0.7500") == 3


def test_without_labels_there_is_no_auroc(written):
    slides, aurocs, summary = written([0.1, 0.6], {})
    assert aurocs.empty and "AUROC" not in summary and slides.label.isna().all()


def test_a_single_slide_of_a_class_has_no_auroc(written):
    assert written([0.1, 0.6, 0.7], {"s0": "0", "s1": "1", "s2": "1"})[1].empty
