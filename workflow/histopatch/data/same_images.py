"""Same images among some patches of a pack: pairs that hold whichever of its patches are left out.

The duplicates of a pack list every pair of a small set of same images, but pair each copy of a large set with
one of its copies only. Where that one is left out, because it has no label for example, the others would look
unrelated.
"""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SAME = ("identical", "turned")  # kinds of pairs that are transitive: the same pixels in some orientation


def pairs_among(duplicates: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """The pairs (`kind,id_a,id_b`) whose patches are both among the ids.

    duplicates: the pairs of a pack, in which all copies of an image are linked, directly or through others,
    and copies with the same orientation by pairs of kind `identical`. Copies that are linked through a patch
    that is not among the ids are paired with the first copy that is.
    """
    pairs = duplicates[["kind", "id_a", "id_b"]]
    both = pairs.id_a.isin(ids) & pairs.id_b.isin(ids)
    same = pairs[pairs.kind.isin(SAME)]
    codes, copies = pd.factorize(same[["id_a", "id_b"]].to_numpy().ravel())
    ends = codes.reshape(-1, 2)
    table = pd.DataFrame(
        {
            "id": copies,
            "image": _sets(ends, len(copies)),
            "oriented": _sets(ends[(same.kind == "identical").to_numpy()], len(copies)),
        }
    )
    table = table[table.id.isin(ids)]
    added = [_with_first(table, "oriented", "identical")]
    added.append(_with_first(table.drop_duplicates("oriented"), "image", "turned"))
    added = pd.concat(added)
    known = {frozenset(pair) for pair in zip(same.id_a, same.id_b, strict=True)}
    new = [frozenset(pair) not in known for pair in zip(added.id_a, added.id_b, strict=True)]
    return pd.concat([pairs[both], added[new]], ignore_index=True)


def _sets(ends: np.ndarray, count: int) -> np.ndarray:
    """The connected set of each of `count` patches, given the ends of pairs (M×2)."""
    links = coo_array((np.ones(len(ends), bool), ends.T), shape=(count, count))
    return connected_components(links, directed=False)[1]


def _with_first(table: pd.DataFrame, by: str, kind: str) -> pd.DataFrame:
    """Each patch paired with the first of its set, which is in the column `by`."""
    first = table.groupby(by).id.transform("first")
    pairs = pd.DataFrame({"kind": kind, "id_a": first, "id_b": table.id})
    return pairs[pairs.id_a != pairs.id_b]
