import json

import pandas as pd
import pytest

from histopatch.engine.rungs import known_history, write_failed_rung, write_rung

HISTORY = [{"epoch": epoch, "val_auc": 0.5 + epoch / 10} for epoch in (1, 2, 3)]


def read(path) -> dict:
    return json.loads(path.read_text())


@pytest.mark.parametrize(("epochs", "rows"), [(2, 2), (3, 3), (4, 3)])
def test_a_rung_keeps_the_epochs_up_to_its_end(tmp_path, epochs, rows):
    write_rung(tmp_path, epochs, HISTORY)
    assert read(tmp_path / f"rung-{epochs}.json") == {"history": HISTORY[:rows]}


def test_a_rung_keeps_why_a_training_failed(tmp_path):
    write_failed_rung(tmp_path, 2, "no memory")
    assert read(tmp_path / "rung-2.json") == {"failed": "no memory"}


def test_a_state_that_came_far_enough_is_known(tmp_path):
    saved = {"progress": {"history": HISTORY}}
    assert known_history(tmp_path, 3, saved, "key") == HISTORY
    assert known_history(tmp_path, 4, saved, "key") is None
    assert known_history(tmp_path, 1, None, "key") is None


def test_a_finished_training_is_known_by_what_it_was_made_from(tmp_path):
    pd.DataFrame(HISTORY).to_csv(tmp_path / "history.csv", index=False)
    (tmp_path / "run.json").write_text('{"made_from": "key"}')
    assert known_history(tmp_path, 2, None, "key") == HISTORY
    assert known_history(tmp_path, 9, None, "key") == HISTORY  # it ended before
    assert known_history(tmp_path, 2, None, "other") is None
    (tmp_path / "run.json").write_text('{"failed": "no memory"}')
    assert known_history(tmp_path, 2, None, "key") is None
