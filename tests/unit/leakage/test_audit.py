import json

import pandas as pd
import pytest

from histopatch.errors import InputError
from histopatch.leakage.audit import COLUMNS, audit_files, judge_files

CLEAN = ["a,0,s,-1", "b,1,s,-1", "c,0,t,0", "d,1,t,0"]
NO_PAIRS = "kind,id_a,id_b,correlation,overlap"


@pytest.fixture
def audit(csv, tmp_path):
    """Audit a split and duplicates given as lines; the report and the table of pairs."""

    def run(split: list[str], duplicates: list[str] = ()) -> tuple[dict, pd.DataFrame]:
        header = "id,label,slide,fold" + ",patient" * (split[0].count(",") == 4)
        given = csv("main.csv", header, *split), csv("duplicates.csv", NO_PAIRS, *duplicates)
        out = tmp_path / "main.audit.json", tmp_path / "main.audit.csv"
        audit_files(*map(str, (*given, *out)))
        return json.loads(out[0].read_text()), pd.read_csv(out[1], dtype={"id_a": str, "id_b": str})

    return run


@pytest.fixture
def judge(audit, tmp_path):
    """The line of the verdict on a split."""

    def run(split: list[str], duplicates: list[str] = (), on_leak: str = "stop") -> str:
        audit(split, duplicates)
        paths = {name: str(tmp_path / f"main.audit.{name}") for name in ("json", "csv", "txt")}
        judge_files(paths["json"], "main", paths["csv"], on_leak, paths["txt"])
        return (tmp_path / "main.audit.txt").read_text()

    return run


def counts(report: dict, kind: str) -> tuple[int, int, int]:
    return tuple(report["pairs"][kind][key] for key in ("found", "crossing", "patches"))


def test_a_clean_split_has_nothing_to_list(audit):
    report, pairs = audit(CLEAN)
    assert list(pairs) == COLUMNS
    assert pairs.empty
    assert report["patches"] == {"training": 2, "fold 0": 2}
    assert report["slides"] == {"known": 2, "patches_without": 0, "on_several_sides": {}, "similar_names": []}
    assert all(set(found.values()) == {0} for found in report["pairs"].values())


def test_slides_on_two_sides_are_named_with_their_patches(audit):
    report, pairs = audit([*CLEAN, "e,0,s,0", "f,0,s,0", "g,0,,0"])
    assert report["slides"]["on_several_sides"] == {"s": {"training": 2, "fold 0": 2}}
    assert report["slides"]["patches_without"] == 1
    assert counts(report, "slide") == (1, 1, 2)
    assert pairs.to_numpy().tolist() == [["slide", "a", "e", 0, 0, -1, 0]]


def test_patches_without_a_slide_share_none(audit):
    report, pairs = audit(["a,0,,-1", "b,1,,0"])
    assert report["slides"]["known"] == 0
    assert pairs.empty


@pytest.mark.parametrize("kind", ["identical", "turned", "near"])
@pytest.mark.parametrize(
    ("fold_a", "fold_b", "crossing"),
    [(-1, 0, 1), (0, 1, 1), (-2, -1, 1), (-2, 0, 1), (-1, -1, 0), (1, 1, 0), (-2, -2, 0)],
)
def test_pairs_cross_where_their_sides_differ(audit, kind, fold_a, fold_b, crossing):
    report, pairs = audit([f"a,1,,{fold_a}", f"b,1,,{fold_b}", "c,0,,0"], [f"{kind},a,b,0.99,0.5"])
    assert counts(report, kind) == (1, crossing, 2 * crossing)
    assert pairs.to_numpy().tolist() == [[kind, "a", "b", 1, 1, fold_a, fold_b]]


def test_pairs_with_images_outside_the_split_are_left_out(audit):
    _, pairs = audit(CLEAN, ["near,a,x,1,1", "identical,y,d,1,1"])
    assert pairs.empty


def test_one_image_with_two_labels_is_found_on_any_side(audit):
    duplicates = ["identical,a,b,1,1", "turned,c,d,1,1", "near,a,d,1,0.5"]
    report, pairs = audit(CLEAN, duplicates)
    two = pairs[pairs.kind == "two_labels"]
    assert (two.id_a + two.id_b).tolist() == ["ab", "cd"]
    assert counts(report, "two_labels") == (2, 0, 0)
    assert counts(report, "near") == (1, 1, 2)


def test_ids_that_look_like_numbers_stay_texts(audit):
    _, pairs = audit(["007,0,01,-1", "008,1,01,0"], ["near,007,008,1,1"])
    assert pairs.id_a.tolist() == ["007", "007"]


def test_a_clean_split_passes(judge):
    assert judge(CLEAN) == "split main: nothing on more than one side\n"
    assert judge(["a,0,,-1", "b,1,,0"]) == "split main: nothing on more than one side (no slides are known)\n"


LEAKS = [
    ([*CLEAN, "e,0,s,0"], [], "1 slide on more than one side"),
    (CLEAN, ["identical,a,c,1,1"], "1 pair of identical images on more than one side"),
    (CLEAN, ["near,a,c,1,1", "near,b,c,1,1"], "2 pairs of near duplicates on more than one side"),
    (CLEAN, ["identical,a,b,1,1"], "nothing on more than one side; 1 image pair with two labels"),
]


@pytest.mark.parametrize(("split", "duplicates", "what"), LEAKS)
def test_leaks_are_reported_or_stop_the_job(judge, tmp_path, split, duplicates, what):
    assert judge(split, duplicates, on_leak="warn") == f"split main: {what}\n"
    (tmp_path / "main.audit.txt").unlink()
    with pytest.raises(InputError) as caught:
        judge(split, duplicates, on_leak="stop")
    message = str(caught.value)
    assert message.startswith(f"split main: {what}; ")
    assert f"{tmp_path / 'main.audit.csv'} lists them" in message
    assert "\n" not in message
    assert not (tmp_path / "main.audit.txt").exists()
    assert (tmp_path / "main.audit.csv").exists()


@pytest.mark.input(
    "Slide map",
    "slide or patient names that differ only by case or a trailing `.0`",
    "taken for one slide or patient, which is kept on one side; a warning, and a line of the audit",
)
@pytest.mark.parametrize(("one", "other"), [("S1", "s1"), ("1", "1.0")])
def test_names_that_are_nearly_alike_are_one_slide(judge, audit, one, other):
    apart = [f"a,0,{one},-1", f"b,1,{other},0", "c,0,t,0"]
    report, pairs = audit(apart)
    assert report["slides"]["known"] == 2
    assert report["slides"]["similar_names"] == [sorted([one, other])]
    assert report["slides"]["on_several_sides"] == {one: {"training": 1, "fold 0": 1}}
    assert pairs.to_numpy().tolist() == [["slide", "a", "b", 0, 1, -1, 0]]
    first, second = sorted([one, other])
    words = f"2 slide names differ only by case or `.0`: '{first}', '{second}'"
    assert judge(apart, on_leak="warn") == f"split main: 1 slide on more than one side; {words}\n"
    with pytest.raises(InputError, match="1 slide on more than one side"):
        judge(apart, on_leak="stop")
    together = [f"a,0,{one},0", f"b,1,{other},0", "c,0,t,-1"]
    assert judge(together, on_leak="stop") == f"split main: nothing on more than one side; {words}\n"


def test_patients_on_two_sides_are_found_beside_slides(judge, audit):
    split = ["a,0,s,-1,p", "b,1,t,0,p", "c,1,u,0,q", "d,1,u,0,"]
    report, pairs = audit(split)
    assert report["patients"] == {
        "known": 2,
        "patches_without": 1,
        "on_several_sides": {"p": {"training": 1, "fold 0": 1}},
        "similar_names": [],
    }
    assert pairs.kind.tolist() == ["patient"]
    assert judge(split, on_leak="warn") == "split main: 1 patient on more than one side\n"
