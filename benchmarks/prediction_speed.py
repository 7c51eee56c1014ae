"""How fast new patches are predicted on a CPU, from image files to probabilities, beside the notebook's loop.

    python benchmarks/prediction_speed.py --data data/histopathologic-cancer-detection \\
        --run results/kaggle/runs/<run>/fold-0

The contestants predict the same patches, among those that the run validated on (at least 1,024), in
processes of their own, in turn, several rounds in one call. What is timed begins with the names of the
files, when libraries are imported and the model is loaded, and ends with probabilities. The notebook's loop
has the environment that a user's shell gives it, the others the one that the workflow gives jobs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from machine import describe_machine, table

from histopatch import cores

CONTESTANTS = ["notebook", "torch", "onnxruntime", "openvino"]
# By the size in pixels that patches are resized to: how many, and the target in times the notebook's speed.
CASES = {96: (1024, 10), 224: (512, 3)}
AT_A_TIME = 32  # patches that onnxruntime is given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with train/<id>.tif")
    parser.add_argument("--run", type=Path, help="a fold of a run: its weights, run.json and predictions.csv")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        contest(arguments.contestant, arguments.folder)
        return
    if not (arguments.data and arguments.run):
        parser.error("name --data and --run")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row
            for size in CASES
            for row in compare(
                arguments.run, arguments.data, size, arguments.rounds, Path(folder) / str(size)
            )
        ]
    print(describe_machine())
    print(table(rows))


def compare(run: Path, data: Path, size: int, rounds: int, folder: Path) -> list[dict]:
    """Rows of the table for one size."""
    import numpy as np
    from sklearn.metrics import roc_auc_score as auc

    count, target = CASES[size]
    labels = write_case(run, data, size, count, folder)
    speeds: dict[str, list[float]] = {contestant: [] for contestant in CONTESTANTS}
    for round_ in range(rounds):
        for contestant in CONTESTANTS:
            environment = os.environ | ({} if contestant == "notebook" else cores.ENVIRONMENT)
            command = [sys.executable, __file__, "--contestant", contestant, "--folder", str(folder)]
            subprocess.run(command, env=environment, check=True)
            speeds[contestant].append(len(labels) / json.loads((folder / f"{contestant}.json").read_text()))
            print(f"round {round_ + 1} {size} px {contestant}: {speeds[contestant][-1]:.1f}", file=sys.stderr)
    found = {contestant: np.load(folder / f"{contestant}.npy") for contestant in CONTESTANTS}
    rows = []
    for contestant in CONTESTANTS:
        ratios = [a / b for a, b in zip(speeds[contestant], speeds["notebook"], strict=True)]
        middle = statistics.median(ratios)
        rows.append(
            {
                "px": size,
                "what": contestant,
                "img/s": f"{statistics.median(speeds[contestant]):.1f}",
                "times the notebook's": f"{middle:.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
                "target": f"≥ {target}" if contestant == "openvino" else "",
                "AUROC": f"{auc(labels, found[contestant]):.4f}",
                "beside PyTorch's": f"{auc(labels, found[contestant]) - auc(labels, found['torch']):+.6f}",
                "probabilities, at most": f"{np.abs(found[contestant] - found['torch']).max():.0e}",
                "other calls": int(((found[contestant] >= 0.5) != (found["torch"] >= 0.5)).sum()),
            }
        )
    return rows


def write_case(run: Path, data: Path, size: int, count: int, folder: Path):
    """An exported model of one network that computes at `size`, and the files to predict; returns labels."""
    import numpy as np
    import pandas as pd
    import safetensors.torch
    import torch

    from histopatch.engine.model_files import save_model
    from histopatch.engine.predict import restore_network
    from histopatch.export.contents import together
    from histopatch.export.description import DESCRIPTION, FORMAT, ONNX, WEIGHTS
    from histopatch.export.onnx_file import write_onnx
    from histopatch.files import write_json
    from histopatch.inference.patches import parts
    from histopatch.statistics.recalibration import Recalibration

    report = json.loads((run / "run.json").read_text()) | {"precision": "fp32"}
    report["model"] |= {"image_size": size, "symmetries": False}
    weights = safetensors.torch.load_file(run / "model.safetensors")
    patches = pd.read_csv(run / "predictions.csv", dtype={"id": str}).sample(count, random_state=0)
    files = [str(data / "train" / f"{name}.tif") for name in patches.id]
    examples = np.concatenate(list(parts(files[:64], 96)))
    folder.mkdir()
    network = restore_network(weights, report, torch.device("cpu"))
    onnx = write_onnx([network], "probability", Recalibration(), [], examples, str(folder / ONNX))
    save_model(together([weights]), folder / WEIGHTS)
    description = {
        "format": FORMAT, "patch_size": 96, "average": "probability", "networks": [report],
        "recalibration": None, "operating_points": {}, "onnx": onnx,
    }  # fmt: skip
    write_json(description, folder / DESCRIPTION)
    (folder / "files.json").write_text(json.dumps(files))
    return patches.label.to_numpy()


def contest(contestant: str, folder: Path) -> None:
    """Write the seconds that a contestant takes, and its probabilities."""
    import numpy as np

    files = json.loads((folder / "files.json").read_text())
    predict = {"notebook": notebook, "onnxruntime": onnxruntime}.get(contestant, ours)(contestant, folder)
    started = time.perf_counter()
    probabilities = predict(files)
    (folder / f"{contestant}.json").write_text(json.dumps(time.perf_counter() - started))
    np.save(folder / f"{contestant}.npy", probabilities)


def notebook(_: str, folder: Path):
    """The notebook's prediction loop: files decoded one by one in two workers, batch size 128, float32."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from training_speed import Folder

    from histopatch import inference

    (network,) = inference.load(folder, "cpu", "torch").runtime.networks
    model, size = network.model.eval().to(memory_format=torch.contiguous_format), network.image_size
    steps = [
        transforms.Resize((size, size)),
        transforms.ToTensor(),
        transforms.Normalize(model.backbone.mean, model.backbone.std),
    ]
    images = Folder(folder, transforms.Compose(steps))

    def predict(files: list[str]):
        images.files, scores = files, []
        with torch.no_grad():
            for pixels, _ in DataLoader(images, 128, num_workers=2):
                scores.append(model(pixels).sigmoid())
        return torch.cat(scores).double().numpy()

    return predict


def onnxruntime(_: str, folder: Path):
    """The exported file with onnxruntime, whose files are read as `Model.predict` reads them."""
    import numpy as np
    from onnxruntime import InferenceSession

    from histopatch.export.description import ONNX
    from histopatch.inference.patches import parts

    session = InferenceSession(folder / ONNX)

    def predict(files: list[str]):
        found = [
            session.run(["probability"], {"patches": part[start : start + AT_A_TIME]})[0]
            for part in parts(files, 96)
            for start in range(0, len(part), AT_A_TIME)
        ]
        return np.concatenate(found).astype(float)

    return predict


def ours(runtime: str, folder: Path):
    """`Model.predict` with PyTorch, as the workflow's own jobs predict, or with OpenVINO."""
    import torch

    from histopatch import inference

    torch.set_num_threads(cores.available_cores())
    return inference.load(folder, "cpu", runtime).predict


if __name__ == "__main__":
    main()
