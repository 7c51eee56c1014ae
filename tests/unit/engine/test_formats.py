import logging

import pytest
import torch

from histopatch.engine import device, formats
from histopatch.engine.formats import Format, candidates, cpu_has_bf16
from histopatch.errors import InputError

CPU = torch.device("cpu")


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """Pretend to run on a CPU with these flags, of which torch uses what `capability` says."""

    def be(flags: str, capability: str = "AVX512", machine: str = "x86_64") -> None:
        name = "flags" if machine == "x86_64" else "Features"
        (tmp_path / "cpuinfo").write_text(f"model name\t: any\n{name}\t\t: fpu {flags}\n")
        monkeypatch.setattr(device, "CPU_INFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(formats.platform, "machine", lambda: machine)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)

    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    return be


@pytest.mark.parametrize(
    ("flags", "capability", "machine", "has"),
    [
        ("avx2", "AVX2", "x86_64", False),
        ("avx2 avx512f avx512_vnni", "AVX512", "x86_64", False),
        ("avx2 avx512f avx512_bf16", "AVX512", "x86_64", True),
        ("avx2 avx512f amx_bf16", "AVX512_AMX", "x86_64", True),
        ("avx2 avx512f avx512_bf16", "AVX2", "x86_64", False),  # ATEN_CPU_CAPABILITY=avx2
        ("asimd", "DEFAULT", "aarch64", False),
        ("asimd bf16", "DEFAULT", "aarch64", True),
    ],
)
def test_a_cpu_has_bf16_where_it_has_the_instructions_and_may_use_them(cpu, flags, capability, machine, has):
    cpu(flags, capability, machine)
    assert cpu_has_bf16() == has


@pytest.mark.parametrize(
    ("isa", "has"), [("AVX2", False), ("avx512_core", False), ("AVX512_CORE_AMX", True), ("ALL", True)]
)
def test_onednn_can_be_told_to_do_without(cpu, monkeypatch, isa, has):
    cpu("avx512f avx512_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", isa)
    assert cpu_has_bf16() == has


def test_where_the_system_reports_no_instructions_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "CPU_INFO", tmp_path / "missing")
    assert not cpu_has_bf16()


@pytest.mark.parametrize(("flags", "precisions"), [("avx2", {"fp32"}), ("avx512_bf16", {"fp32", "bf16"})])
def test_auto_tries_what_the_cpu_has(cpu, flags, precisions):
    cpu(flags)
    tried = candidates("auto", CPU)
    assert {compute.precision for compute in tried} == precisions
    assert tried[0] == Format("channels_last", "fp32")


@pytest.mark.parametrize(("flags", "warnings"), [("avx2", 1), ("avx512_bf16", 0)])
def test_bf16_by_name_is_taken_and_warns_where_it_is_emulated(cpu, caplog, flags, warnings):
    cpu(flags)
    with caplog.at_level(logging.WARNING):
        assert {compute.precision for compute in candidates("bf16", CPU)} == {"bf16"}
    assert len(caplog.records) == warnings


def test_fp16_needs_a_gpu():
    with pytest.raises(InputError, match=r"^precision: `fp16` needs a GPU"):
        candidates("fp16", CPU)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_format_computes_in_its_precision(precision, dtype):
    with Format("contiguous", precision).autocast(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_a_format_knows_its_layout():
    assert Format("channels_last", "fp32").memory_format == torch.channels_last
    assert Format("contiguous", "fp32").memory_format == torch.contiguous_format
