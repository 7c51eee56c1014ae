import pytest

from histopatch.engine.parts import even_parts


@pytest.mark.parametrize("count", [2, 3, 7, 64, 65])
@pytest.mark.parametrize("most", [1, 2, 3, 32, 64, 100])
def test_parts_are_alike_fit_and_leave_no_patch_alone(count, most):
    parts = even_parts(count, most)
    assert sum(parts) == count
    assert max(parts) - min(parts) <= 1
    assert min(parts) >= 2
    assert max(parts) <= max(most, 3)


def test_what_can_be_cut_evenly_is():
    assert even_parts(64, 16) == [16] * 4
    assert even_parts(65, 32) == [22, 22, 21]
    assert even_parts(1, 32) == [1]
    assert even_parts(0, 32) == []
