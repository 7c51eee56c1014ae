import pandas as pd
import pytest

from pcam.evaluation.kept import read_kept, read_slides


@pytest.fixture
def write(tmp_path):
    def table(name: str, text: str):
        path = tmp_path / name
        path.write_text(text)
        return path

    return table


def test_predictions_get_the_slides_of_their_patches(write):
    split = write("split.csv", "id,label,slide,fold\n007,1,s1,0\nNA,0,s2,0\nb,1,s1,-1\n")
    predictions = write("predictions.csv", "id,label,probability\nNA,0,0.25\n007,1,0.5\n")
    kept = read_kept(predictions, read_slides(split))
    assert list(kept.ids) == ["NA", "007"]
    assert list(kept.labels) == [0, 1]
    assert list(kept.probabilities) == [0.25, 0.5]
    assert list(kept.slides) == ["s2", "s1"]


@pytest.mark.parametrize("slides", [("", ""), ("s1", "")], ids=["none", "some"])
def test_where_not_all_slides_are_known_none_are(write, slides):
    split = write("split.csv", f"id,label,slide,fold\na,1,{slides[0]},0\nb,0,{slides[1]},0\n")
    assert read_slides(split) is None
    predictions = write(
        "predictions.csv", pd.DataFrame({"id": ["a"], "label": 1, "probability": 0.5}).to_csv()
    )
    assert read_kept(predictions, None).slides is None
