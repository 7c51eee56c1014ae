from dataclasses import replace

import pytest

from histopatch.engine.sizes import training_size


def sizes(settings, **changes) -> list[int]:
    asked = replace(settings, **changes)
    return [training_size(asked, epoch) for epoch in range(1, asked.epochs + 1)]


def test_without_a_start_all_epochs_have_the_size(settings):
    assert sizes(settings, image_size=224, epochs=3) == [224] * 3


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (6, [96, 112, 128, 144, 160, 160]),
        (9, [96, 112, 112, 128, 144, 144, 160, 160, 160]),
        (3, [96, 128, 160]),
        (2, [96, 160]),
        (1, [160]),
    ],
)
def test_the_size_rises_and_the_last_third_is_full(settings, epochs, expected):
    assert sizes(settings, image_size=160, start_size=96, epochs=epochs) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(40, 96, [40, 64, 96]), (104, 104, [104] * 3), (105, 105, [105] * 3), (72, 75, [72, 75, 75])],
)
def test_the_first_epoch_has_the_start_and_none_is_smaller_or_larger(settings, start, end, expected):
    assert sizes(settings, image_size=end, start_size=start, epochs=3) == expected
