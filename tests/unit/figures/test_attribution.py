import json

import numpy as np
import pandas as pd
import pytest

from histopatch.figures import attribution

SUMMARY = {
    "measured_on": "held-out patches",
    "centre_size": 32,
    "area_share": 1 / 9,
    "grad_cam": {"all": {"mean": 0.4}},
}


def table(shares=(0.1, 0.5, 0.9, np.nan)) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": [0, 0, 1, 1],
            "centre_share": shares,
            "logit": [0.0, 1.0, 2.0, 3.0],
            "logit_without_centre": [1.0, 1.0, 2.0, 2.0],
            "logit_without_border": [0.0, -3.0, 7.0, 3.0],
        }
    )


def test_shares_are_stacked_by_class_beside_chance_and_mean(render, assert_inside):
    figure = render(attribution.draw_attribution, table(), SUMMARY)
    shares = figure.axes[0]
    assert sum(bar.get_height() for bar in shares.patches) == 3  # one patch has no evidence
    assert [line.get_xdata()[0] for line in shares.lines] == pytest.approx([1 / 9, 0.4])
    assert [text.get_text() for text in shares.texts] == ["chance 11 %", "mean 40 %"]
    assert_inside(figure)


def test_movements_are_absolute_and_by_class(render):
    movements = render(attribution.draw_attribution, table(), SUMMARY).axes[1]
    negative, positive = (dots.get_offsets().tolist() for dots in movements.collections)
    assert negative == [[0, 1], [4, 0]]
    assert positive == [[5, 0], [0, 1]]
    equal, proportional = (line.get_xydata()[-1] for line in movements.lines)
    assert equal[0] == equal[1]
    assert proportional[1] == pytest.approx(proportional[0] / 8)  # the border has eight times the area


def test_without_any_evidence_occlusion_is_drawn_alone(render):
    summary = SUMMARY | {"grad_cam": {"all": None}}
    (axes,) = render(attribution.draw_attribution, table([np.nan] * 4), summary).axes
    assert axes.get_xlabel().startswith("occlusion")


def test_it_is_drawn_from_files(tmp_path, is_written):
    table().to_csv(tmp_path / "attribution.csv", index=False)
    (tmp_path / "attribution.json").write_text(json.dumps(SUMMARY))
    names = ("attribution.csv", "attribution.json", "figure.png")
    attribution.attribution(*(str(tmp_path / name) for name in names), dpi=60)
    assert is_written()
