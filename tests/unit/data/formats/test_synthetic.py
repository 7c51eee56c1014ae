from pathlib import Path

from histopatch.data.formats.synthetic import Synthetic
from histopatch.data.synthetic import write_dataset


def test_what_the_recipe_makes_is_what_is_handed_over(tmp_path):
    recipe = {"train_patches": 8, "test_patches": 2, "slides": 4, "seed": 1}
    dataset = Synthetic.read({"synthetic": recipe, "patch_size": 96}, str(tmp_path / "results"))
    dataset.check()
    write_dataset(Path(dataset.root), **dataset.recipe)
    for part in ("train", "test"):
        assert any(Path(dataset.images(part)).iterdir())
    for file in (dataset.labels, dataset.slides, dataset.sample_submission):
        assert Path(file).is_file()
