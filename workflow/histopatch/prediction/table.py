"""The table of predictions: what people read, from what the shards have."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from histopatch.files import read_table, replacing, write_table
from histopatch.prediction.shards import KEY
from histopatch.prediction.words import describe, describe_unlike, is_unusual
from histopatch.statistics.recalibration import Recalibration, recalibrate
from histopatch.statistics.selective import confidence

UNLIKE = "0.99"  # the quantile of the training part beyond which a patch looks unlike it


def write_predictions(
    description: str,
    patches: str,
    shards: Sequence[str],
    point: str,
    abstain: str,
    table: str,
    summary: str,
) -> None:
    """Write a row for each patch, in the order of the input, and what they come to in a few lines.

    description: model.json; patches: CSV as `shards.assign` writes it; shards: the predictions of each;
    point: the operating point to call at; abstain: a share of the validation patches, or 0.

    Columns of the table: `id`; `probability` as the model gives it, which calls are made from, and
    `recalibrated_probability`; `call` (0 or 1); `abstained`, whether the probability is too near to the
    threshold, where the same share of the validation patches was; `appearance_distance` from the training
    part, which a patch without tissue lacks, and `looks_unlike_training`; `reason` why a patch could not be
    used, which then has nothing else; `label`, where the input has labels.
    """
    model, listed = json.loads(Path(description).read_text()), read_table(patches)
    found = pd.concat([read_table(shard) for shard in shards])
    # Of two shards that list the same patch, the one that the input names.
    rows = listed.merge(found.drop_duplicates(KEY, keep="last"), on=KEY, how="left", validate="one_to_one")
    made = _judged(rows, model, model["operating_points"][point], abstain)
    write_table(made, table)
    lines = describe(made, model, point, abstain)
    with replacing(summary) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    unused = int(made.reason.notna().sum())
    if unused:
        first = made[made.reason.notna()].iloc[0]
        logging.warning(
            "%d of %d patches could not be used, such as %r: %s", unused, len(made), first.id, first.reason
        )
    if is_unusual(made):
        logging.warning("%s", describe_unlike(made))


def _judged(rows: pd.DataFrame, model: dict, point: dict, abstain: str) -> pd.DataFrame:
    used = rows.reason.isna()
    probability = rows.probability[used]
    made = rows[["id", "probability"]].copy()
    if fitted := model["recalibration"]:
        fit = Recalibration(fitted["intercept"], fitted["slope"])
        made.loc[used, "recalibrated_probability"] = recalibrate(probability, fit)
    margin = point["abstaining"][abstain] if abstain != "0" else 0.0
    training, distance = model["appearance"], rows.appearance_distance[used]
    # Without tissue there is no distance: it is as unusual as that is in the training part.
    unlike = (distance > training["quantiles"][UNLIKE]).mask(
        distance.isna(), training["no_tissue"] < 1 - float(UNLIKE)
    )
    made["call"] = (probability >= point["threshold"]).astype("Int64")
    made["abstained"] = pd.Series(
        confidence(probability, point["threshold"]) < margin, probability.index, "boolean"
    )
    made["appearance_distance"] = rows.appearance_distance.round(3)
    made["looks_unlike_training"] = unlike.astype("boolean")
    made["reason"] = rows.reason
    if "label" in rows:
        made["label"] = rows.label.astype("Int64")
    return made
