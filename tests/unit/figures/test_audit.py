import itertools
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from histopatch.figures import audit, style

COLUMNS = ["kind", "id_a", "id_b", "label_a", "label_b", "fold_a", "fold_b"]


def make_report(known: int = 24, **crossing: int) -> dict:
    pairs = {kind: {"found": 100, "crossing": crossing.get(kind, 0), "patches": 0} for kind in audit.KINDS}
    pairs["two_labels"]["found"] = crossing.get("two_labels", 0)
    return {"slides": {"known": known}, "pairs": pairs}


def test_patients_have_a_bar_where_they_are_known(render):
    report = make_report(patient=2) | {"patients": {"known": 5}}
    axes = render(audit.draw_audit, report, [], "Split").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [2, 0, 0, 0, 0, 0]
    assert axes.texts[0].get_text() == "2 of 5 patients"


def make_pairs(*kinds: str) -> pd.DataFrame:
    return pd.DataFrame(
        [(kind, f"{i}", f"{i + 50}", 0, 1, -1, 0) for i, kind in enumerate(kinds)], columns=COLUMNS
    )


def make_examples(count: int) -> list[audit.Example]:
    patch = np.zeros((12, 12, 3), np.uint8)
    return [audit.Example(f"pair {i}", patch, patch + 255) for i in range(count)]


def test_every_kind_has_a_bar_and_a_count(render):
    report = make_report(slide=20, near=7, two_labels=3)
    axes = render(audit.draw_audit, report, [], "Split").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [20, 0, 0, 7, 3]
    assert [text.get_text() for text in axes.texts] == [
        "20 of 24 slides",
        "0 of 100 pairs",
        "0 of 100 pairs",
        "7 of 100 pairs",
        "3",
    ]
    assert axes.get_xlim() == (0, 20)


def test_zero_is_shown_as_zero(render):
    axes = render(audit.draw_audit, make_report(known=0), [], "Split").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0] * 5
    assert axes.texts[0].get_text() == "0 (no slides are known)"
    assert axes.texts[-1].get_text() == "nothing found"
    assert axes.get_xlim() == (0, 1)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_examples_stand_side_by_side_below_the_bars(render, count):
    bars, *others = render(audit.draw_audit, make_report(near=9), make_examples(count), "Split").axes
    shown = [axes for axes in others if axes.images]
    assert [axes.get_title() for axes in shown] == [f"pair {i}" for i in range(count)]
    assert shown[0].images[0].get_array().shape == (12, 24 + audit.GAP, 3)
    assert all(axes.get_window_extent().y1 < bars.get_window_extent().y0 for axes in shown)


def test_captions_do_not_run_into_each_other(render):
    pair = next(make_pairs("turned").assign(fold_a=-2, fold_b=10).itertuples())
    examples = [example._replace(caption=audit._caption(pair)) for example in make_examples(4)]
    figure = render(audit.draw_audit, make_report(near=9), examples, "Split")
    boxes = [axes.title.get_window_extent() for axes in figure.axes[1:]]
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_all_kinds_of_pairs_have_their_turn():
    chosen = audit.choose_pairs(make_pairs(*["near"] * 20, *["turned"] * 2, "two_labels", "slide"))
    assert sorted(chosen.kind) == ["near"] * 5 + ["turned"] * 2 + ["two_labels"]


def test_pairs_on_one_side_are_no_examples():
    pairs = make_pairs("near", "two_labels").assign(fold_b=-1)
    assert audit.choose_pairs(pairs).kind.tolist() == ["two_labels"]


@pytest.mark.parametrize("kinds", [[], ["near", "identical", "slide"]])
def test_the_audit_reads_its_files(tmp_path, monkeypatch, kinds):
    pack = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    np.save(tmp_path / "pack.npy", pack)
    index = pd.DataFrame({"id": [f"{99 - i}" for i in range(100)], "row": range(100)})
    index.to_parquet(tmp_path / "index.parquet", index=False)
    make_pairs(*kinds).to_csv(tmp_path / "pairs.csv", index=False)
    (tmp_path / "report.json").write_text(json.dumps(make_report(near=1)))
    drawn = []
    draw = audit.draw_audit
    monkeypatch.setattr(audit, "draw_audit", lambda *given: (drawn.extend(given[2]), draw(*given)))
    inputs = [tmp_path / name for name in ("report.json", "pairs.csv", "pack.npy", "index.parquet")]
    audit.audit(*inputs, tmp_path / "figure.png", name="main", dpi=60)
    assert [(int(e.a[0, 0, 0]), int(e.b[0, 0, 0])) for e in drawn] == [(99, 49), (98, 48)][: len(kinds)]
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width == 60 * style.WIDTH
