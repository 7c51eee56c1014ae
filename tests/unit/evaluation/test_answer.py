import pytest

from histopatch.evaluation.answer import describe_answer
from histopatch.files import read_table

MEASURED = {
    "auc": 0.9712, "auc_low": 0.961, "auc_high": 0.98, "auc_interval": "slide jackknife", "patches": 12345,
    "on": "held-out patches", "kind": "unseen slides", "units": {"kind": "slide", "count": 40},
}  # fmt: skip


@pytest.fixture
def answer(table_of_runs):
    def describe(*runs, chosen="a", members=None, **measured) -> str:
        table = read_table(table_of_runs(*({"folder": f"f-{run['run']}"} | run for run in runs)))
        own = table[table.run == chosen].iloc[0]
        best = {"members": [{"run": run, "folder": f"f-{run}"} for run in members or [chosen]]}
        return "\n".join(describe_answer(table, own, best, MEASURED | measured))

    return describe


def run(name, auc=0.9, tied=True, **more) -> dict:
    """A run by its name, which is its backbone, too: each is a configuration of its own."""
    return {"run": name, "backbone": name, "final_val_auc": auc, "tied_with_best": tied} | more


def test_the_question_counts_a_run_of_two_studies_once(answer):
    again = run("a", study="two", folder="f-a")
    assert "which of 2 configurations of the study `one`, of 2 in 2 studies, tells" in answer(
        run("a"), run("b"), again
    )


def test_the_answer_has_its_interval_and_says_of_which_patches(answer):
    assert (
        "**`a`, with an AUROC of 0.9712** (95 % interval 0.9610–0.9800, slide jackknife over 40 slides) on "
        "12,345 held-out patches (unseen slides)." in answer(run("a"), run("b"))
    )
    assert "chance" not in answer(run("a"))
    assert "does not exclude guessing (0.5)." in answer(run("a"), auc_low=0.49)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "There was no other to choose from."),
        (
            [run("b", 0.8, False), run("c", 0.7, False)],
            "it was better than `b`, `c`, beyond chance (paired tests, adjusted for all pairs).",
        ),
        ([run("b", 0.8, False)], "it was better than `b`, beyond chance (paired test)."),
        (
            [run("b", 0.8, True), run("c", 0.7, False)],
            "That it was better than `b` on the validation patches may be chance",
        ),
        ([run("b", 0.8, None)], "No test compares it with the other run of its study."),
        ([run("b", 0.9, None)], "`b` has the same AUROC on the validation patches."),
        (
            [run("b", 0.9, True), run("c", 0.8, False)],
            "patches. On the validation patches it was better than `c`, beyond chance (paired tests",
        ),
        (
            [run("b", 0.9, True), run("c", 0.8, True)],
            "validation patches. That it was better than `c` on the",
        ),
        ([run("b", 0.95, True)], "is that of `b`; a paired test cannot tell the two apart."),
        ([run("b", 0.99, True, study="another")], "There was no other to choose from."),
    ],
)
def test_it_says_how_sure_the_choice_is(answer, others, said):
    assert said in answer(run("a"), *others)


def test_many_rivals_are_counted(answer):
    others = [run(f"r{i}", 0.8) for i in range(7)]
    assert "better than `r0`, `r1`, `r2`, `r3`, `r4` and 2 more on" in answer(run("a"), *others)


def test_a_choice_below_the_highest_says_so(answer):
    said = answer(run("a", 0.8, False), run("b", 0.9))
    assert (
        "The highest validation AUROC of its study is that of `b`; the difference is beyond chance." in said
    )
    said = answer(run("a", 0.8, None), run("b", 0.9))
    assert "`b`; no test compares the two." in said


def test_members_of_an_ensemble_are_no_rivals(answer):
    said = answer(run("a"), run("b", 0.89), run("c", 0.8, False), members=["a", "b"])
    assert "**`a`, `b`, with an AUROC" in said
    assert "better than `c`, beyond chance" in said


def test_runs_without_results_are_no_rivals(answer):
    failed = {"run": "b", "failed": "no memory"}
    assert "There was no other to choose from." in answer(run("a"), failed)


def test_runs_that_halving_stopped_were_there_to_choose_from(answer):
    said = answer(run("a"), *(run(name, 0.8, None, stopped_after=1) for name in "bc"))
    assert "which of 3 configurations" in said
    assert "Halving stopped all others, so no test compares them with it." in said
    assert "no other" not in said


def test_seeds_of_a_configuration_are_neither_counted_nor_rivals(answer):
    seeds = [run(f"{name}{seed}", auc + seed / 100, None, backbone=name, seed=seed)
             for name, auc in (("a", 0.9), ("b", 0.8)) for seed in range(3)]  # fmt: skip
    said = answer(*seeds, chosen="a0")
    assert "which of 2 configurations" in said
    assert "`a1`" not in said
    assert "`a2`" not in said
    assert "No test compares it with the other 3 of its study." in said


def test_a_model_that_ranks_backwards_is_said_to_be_worse_than_guessing(answer):
    said = answer(run("a"), auc=0.2, auc_low=0.1, auc_high=0.35)
    assert ", which is worse than guessing (0.5): are the labels the wrong way round?" in said
    assert "exclude" not in said
