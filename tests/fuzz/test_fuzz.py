"""A few damaged files at every door; benchmarks/fuzz.py tries as many as one likes."""

import pytest
from damage import damaged
from doors import DOORS, check
from hypothesis import HealthCheck, Phase, given, settings


@pytest.mark.parametrize("name", DOORS)
def test_valid_files_are_read(name, tmp_path):
    door = DOORS[name]
    for content in door.valid():
        assert check(door, tmp_path, content)


@pytest.mark.filterwarnings("ignore")  # of decoders, about what is damaged
@pytest.mark.parametrize("name", DOORS)
def test_a_damaged_file_is_read_or_refused_in_one_line(name, tmp_path):
    door = DOORS[name]

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=10_000,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(door.valid()))
    def attempt(content: bytes) -> None:
        check(door, tmp_path, content)

    attempt()
