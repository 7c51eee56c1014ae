import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from histopatch.data.appearance import measure
from histopatch.data.clusters import FEATURES, cluster
from histopatch.errors import InputError


def table(features: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(features, columns=FEATURES)


def test_clusters_follow_the_slides_rather_than_the_labels(patches):
    found = cluster(table(measure(patches)), 8, seed=0)
    rows = np.arange(len(patches))
    assert adjusted_mutual_info_score(rows % 8, found) > 0.6
    assert adjusted_mutual_info_score(rows // 8 % 2, found) < 0.1


def test_clusters_depend_on_the_seed_alone(patches):
    features = table(measure(patches))
    assert np.array_equal(cluster(features, 12, seed=1), cluster(features, 12, seed=1))
    assert not np.array_equal(cluster(features, 12, seed=1), cluster(features, 12, seed=2))


def test_more_clusters_than_patches_are_refused(patches):
    with pytest.raises(InputError, match="appearance_clusters: 20 clusters are too many for 8 patches"):
        cluster(table(measure(patches[:8])), 20, seed=0)


def test_patches_whose_hue_is_missing_have_a_cluster(patches):
    features = table(measure(patches[:9]))
    features.iloc[8, :3] = np.nan
    assert len(cluster(features, 3, seed=0)) == 9
