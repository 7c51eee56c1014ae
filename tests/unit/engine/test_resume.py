import errno
import os
import random
import resource

import pytest
import torch

from histopatch.engine import resume


@pytest.fixture
def facts(tmp_path) -> dict:
    """What a state depends on."""
    (tmp_path / "split.csv").write_text("id,fold\na,0\n")
    (tmp_path / "pack.npy").write_bytes(b"pixels")
    (tmp_path / "weights.pth").write_bytes(b"weights")
    return {
        "identity": {"lr": 0.1, "weights": str(tmp_path / "weights.pth"), "augmentation": {"flips": True}},
        "code": "c0de",
        "split": str(tmp_path / "split.csv"),
        "large": [str(tmp_path / "pack.npy"), str(tmp_path / "weights.pth")],
    }


def test_a_state_is_read_back_as_it_was_saved(tmp_path):
    state = {
        "model": {"weight": torch.tensor([1.0, 2.0])},
        "progress": {"history": [{"epoch": 1, "val_auc": 0.5}], "train_seconds": 1.5},
    }
    resume.save(tmp_path / "resume.pt", state, "key")
    found = resume.load(tmp_path / "resume.pt", "key")
    assert found.keys() == state.keys()
    assert torch.equal(found["model"]["weight"], state["model"]["weight"])
    assert found["progress"] == state["progress"]


def test_there_may_be_no_state(tmp_path):
    assert resume.load(tmp_path / "resume.pt", "key") is None


def test_a_state_from_before_an_edit_is_left_aside(tmp_path):
    resume.save(tmp_path / "resume.pt", {"progress": {}}, "key")
    assert resume.load(tmp_path / "resume.pt", "another key") is None


def cut_short(content: bytearray, at: int) -> None:
    del content[at:]


def flip_bits(content: bytearray, at: int) -> None:
    content[at] ^= 0xFF


def lose_block(content: bytearray, at: int) -> None:
    """As a file is after a power cut: as long as it was, with zeros that were never written."""
    content[at : at + 512] = bytes(len(content[at : at + 512]))


@pytest.mark.parametrize("damage", [cut_short, flip_bits, lose_block])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_damaged_state_is_left_aside_with_a_warning(tmp_path, damage, share, caplog):
    path = tmp_path / "resume.pt"
    resume.save(path, {"model": {"weight": torch.ones(1000)}, "progress": {}}, "key")
    content = bytearray(path.read_bytes())
    damage(content, int(share * len(content)))
    path.write_bytes(content)
    assert resume.load(path, "key") is None
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(f"{path}: the saved state is damaged (")


def test_the_fingerprint_is_that_of_the_facts(facts):
    before = resume.fingerprint(**facts)
    assert resume.fingerprint(**facts) == before
    reordered = dict(reversed(facts["identity"].items()))
    assert resume.fingerprint(**facts | {"identity": reordered}) == before


def edit_settings(facts):
    facts["identity"] = facts["identity"] | {"augmentation": {"flips": False}}


def edit_code(facts):
    facts["code"] = "c0ffee"


def edit_split(facts):
    stat = os.stat(facts["split"])
    with open(facts["split"], "w") as file:
        file.write("id,fold\na,1\n")  # as long as before
    os.utime(facts["split"], ns=(stat.st_atime_ns, stat.st_mtime_ns))


def rewrite_pack(facts):
    os.utime(facts["large"][0], ns=(1, 1))


def lengthen_pack(facts):
    stat = os.stat(facts["large"][0])
    with open(facts["large"][0], "ab") as file:
        file.write(b"more")
    os.utime(facts["large"][0], ns=(stat.st_atime_ns, stat.st_mtime_ns))


def rewrite_weights(facts):
    os.utime(facts["large"][1], ns=(1, 1))


@pytest.mark.parametrize(
    "edit", [edit_settings, edit_code, edit_split, rewrite_pack, lengthen_pack, rewrite_weights]
)
def test_an_edit_of_any_fact_changes_the_fingerprint(facts, edit):
    before = resume.fingerprint(**facts)
    edit(facts)
    assert resume.fingerprint(**facts) != before


def test_weights_need_not_be_a_file(facts):
    facts["large"][1] = "imagenet"
    assert resume.fingerprint(**facts)


def test_random_states_are_put_back_as_they_were():
    generator = torch.Generator().manual_seed(random.randrange(2**30))
    states = resume.random_states(generator, torch.device("cpu"))

    def drawn():
        return torch.cat([torch.rand(3, generator=generator), torch.rand(3)])

    first = drawn()
    assert not torch.equal(drawn(), first)
    resume.set_random_states(states, generator, torch.device("cpu"))
    assert torch.equal(drawn(), first)


def test_what_the_system_says_of_a_disk_is_not_hidden_by_torch(tmp_path):
    """A limit on the size of files is the full disk that a test can have."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, before[1]))
    try:
        with pytest.raises(OSError) as error:
            resume.save(tmp_path / "resume.pt", {"model": torch.zeros(10**6)}, "key")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (error.value.errno, error.value.filename) == (errno.EFBIG, str(tmp_path / "resume.pt"))


def test_a_file_that_is_no_state_is_left_aside(tmp_path):
    torch.save([1], tmp_path / "resume.pt")
    assert resume.load(tmp_path / "resume.pt", "key") is None
    torch.save({"model": 1}, tmp_path / "resume.pt")
    assert resume.load(tmp_path / "resume.pt", "key") is None
