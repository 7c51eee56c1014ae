"""External data sets, which measure the final model and train nothing."""

import pandas as pd
import pytest
from conftest import write_data
from edits import append, configure
from plan import plan, run
from sklearn.metrics import roc_auc_score

GROUPS = "groups: data/small/groups.csv}"
SITE = "site: {format: kaggle, root: data/site, slides: data/site/slides.csv}"
MEASURED = {"external_patches", "predict_external", "external"}
WORDS = {"summary", "model_card"}


@pytest.fixture
def with_site(project):
    """The finished project and one external data set, which is 120 copies of its own patches."""
    write_data(project / "data/site")
    configure(project, (GROUPS, f"{GROUPS}\n    external: {{{SITE}}}"))
    return project


def test_an_external_data_set_measures_the_final_model_and_trains_nothing(with_site):
    results = with_site / "results/small"
    jobs = run(with_site)
    assert jobs.rules == {"pack", "clean", "shared_images", *WORDS, *MEASURED}
    assert plan(with_site).rules == set()

    labels = pd.read_csv(with_site / "data/site/train_labels.csv").set_index("id").label
    predicted = pd.read_csv(results / "external/site/predictions.csv").set_index("id")
    assert len(predicted) == 120
    assert (predicted.label == labels[predicted.index]).all()
    held_out = pd.read_csv(results / "final/held_out_predictions.csv").set_index("id")
    assert predicted.probability[held_out.index].to_numpy() == pytest.approx(held_out.probability, abs=1e-5)

    row = pd.read_csv(results / "final/external.csv").iloc[0]
    assert (row["set"], row.patches, row.slides, row.shared) == ("site", 120, 10, 120)
    assert row.auc == pytest.approx(roc_auc_score(predicted.label, predicted.probability))
    thresholds, own = (
        pd.read_csv(results / f"final/{name}.csv").threshold
        for name in ("external_operating_points", "operating_points")
    )
    assert [*thresholds] == [*own]
    summary = (results / "tables/summary.md").read_text()
    assert "### External data" in summary
    assert "120 of the 120 patches of `site` show what images of the own data set show" in summary
    assert "| `site` | 120 | 60 | 10 |" in (results / "final/model/README.md").read_text()
    assert "External data</h" in (results / "report.html").read_text()

    # An edit of it reruns what is made of it only.
    append(with_site / "data/site/train_labels.csv", "nobody,1\n")
    assert plan(with_site).rules == {"clean", "shared_images", *WORDS, *MEASURED}
    configure(with_site, (f"\n    external: {{{SITE}}}", ""))
    assert plan(with_site).rules == WORDS
