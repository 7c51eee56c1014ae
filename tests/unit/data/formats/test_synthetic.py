from pathlib import Path

import pandas as pd

from histopatch.data.formats.synthetic import Synthetic
from histopatch.data.synthetic import write_dataset


def test_what_the_recipe_makes_is_what_is_handed_over(tmp_path):
    recipe = {"train_patches": 8, "test_patches": 2, "slides": 4, "seed": 1}
    dataset = Synthetic.read({"synthetic": recipe, "patch_size": 96}, str(tmp_path / "results"))
    dataset.check()
    assert dataset.known_groups == ("slide",)
    write_dataset(Path(dataset.root), **dataset.recipe)
    assert len(dataset.images("test")) == 2
    assert (
        {*pd.concat(dataset.labels()).id} & {*pd.concat(dataset.slides()).id} & {*dataset.images("train").ids}
    )
    assert (pd.concat(dataset.slides()).slide != "").all()
    for purpose in ("images", "labels", "slides"):
        assert all(Path(file).is_file() for file in dataset.files(purpose))
    assert Path(dataset.sample_submission).is_file()
