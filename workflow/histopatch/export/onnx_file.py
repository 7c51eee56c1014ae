"""The final model as one ONNX file, from raw patches to probabilities, checked against PyTorch."""

import contextlib
import io
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from histopatch.engine.network import Network
from histopatch.errors import InputError
from histopatch.export import decompositions
from histopatch.export.contents import sha256
from histopatch.export.graph import ModelGraph
from histopatch.files import scratch_beside
from histopatch.inference.patches import Part
from histopatch.inference.runtimes import OpenVino
from histopatch.statistics.ensembles import average
from histopatch.statistics.recalibration import Recalibration

INPUT = "patches"
ONE_FILE = 2**31 - 2**24  # bytes of weights; ONNX files end at 2 GiB, and the graph needs some of them
LARGEST = 1e-3  # difference of a probability from PyTorch's; rounding makes 1e-6, a wrong graph much more
AT_A_TIME = 16  # patches that PyTorch computes in the check


def write_onnx(
    networks: Sequence[Network],
    by: str,
    recalibration: Recalibration | None,
    references: Sequence[np.ndarray],
    examples: np.ndarray,
    path: str,
) -> dict:
    """Write the average of K networks as `ModelGraph`, and return what model.json says of the file.

    Weights of 2 GiB or more are in a second file beside it, `<path>.data`.

    networks: which compute in float32 on the CPU; by, references: as of `statistics.ensembles.average`;
    recalibration: None for mean ranks; examples: uint8 n×S×S×3 patches, at least two, to check the file with.

    Returns its `sha256`, the `outputs`, and the largest `differences` between probabilities of the examples
    with PyTorch and with `onnxruntime` and `openvino`. Raises InputError where one is above 0.001, or where
    the networks compute what cannot be exported.
    """
    for network in networks:
        network.model.eval()
    graph = ModelGraph(networks, examples.shape[1], by, recalibration, references).eval()
    program, data = _exported(graph, examples), Path(f"{path}.data")
    apart = sum(value.nbytes for value in graph.state_dict().values()) > ONE_FILE
    with scratch_beside(path) as folder:
        temporary = folder / Path(path).name
        program.save(temporary, external_data=apart)
        differences = _differences(temporary, networks, by, references, examples)
        largest = max(differences.values())
        if not largest <= LARGEST:
            raise InputError(
                f"{path}: its probabilities differ from PyTorch's by up to {largest:.2g}, and may by "
                f"{LARGEST:g}; choose another backbone"
            )
        digest = sha256(temporary)
        data.unlink(missing_ok=True)
        for made in (data.name, temporary.name):
            if (folder / made).exists():
                os.replace(folder / made, data.with_name(made))
    for runtime, difference in differences.items():
        logging.info("%d patches with %s: at most %.1e from PyTorch", len(examples), runtime, difference)
    return {"sha256": digest, "outputs": graph.outputs, "differences": differences}


def _exported(graph: ModelGraph, examples: np.ndarray) -> torch.onnx.ONNXProgram:
    table = torch.export.default_decompositions()
    table[torch.ops.aten._linalg_eigh.default] = decompositions.eigh
    table[torch.ops.aten.kthvalue.default] = decompositions.kthvalue
    for optimiser in ("onnx_ir", "onnxscript"):  # which say what they do to each node
        logging.getLogger(optimiser).setLevel(logging.WARNING)
    shapes = ({0: torch.export.Dim("N")},)
    try:
        # The exporter reports its progress on the standard output.
        with contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            patches = torch.from_numpy(examples[:2])
            graph(patches)  # so that what is computed once, such as matrices of stains, is no part of it
            exported = torch.export.export(graph, (patches,), dynamic_shapes=shapes)
            program = torch.onnx.export(
                exported.run_decompositions(table), input_names=[INPUT], output_names=graph.outputs,
                dynamo=True, verbose=False,
            )  # fmt: skip
    except (torch.onnx.errors.OnnxExporterError, torch._dynamo.exc.TorchDynamoException) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise InputError(
            f"model.onnx: the final model cannot be exported ({reason}); choose another backbone"
        ) from error
    # Which lines of which files on this machine each node is from is nobody's business.
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    return program


def _differences(path: Path, networks, by: str, references, examples: np.ndarray) -> dict[str, float]:
    part, rows = Part(examples, torch.device("cpu")), torch.arange(len(examples))
    logits = torch.stack([network.predict(part, rows, AT_A_TIME) for network in networks])
    wanted = average(logits.double().sigmoid().numpy(), by, references)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probability"], {INPUT: examples})
    found = OpenVino(path, views=8 if any(network.symmetries for network in networks) else 1).predict(
        examples
    )
    return {
        "onnxruntime": float(np.abs(probabilities - wanted).max()),
        "openvino": float(np.abs(average(found, by, references) - wanted).max()),
    }
