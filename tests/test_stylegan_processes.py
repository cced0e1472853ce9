"""Training with two processes: both end with the same weights, and only one writes files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ohlora.portraits import VECTOR_SIZE

SCRIPT = """
import sys
from pathlib import Path
from ohlora.stylegan import GeneratorConfig
from ohlora.stylegan.training import Trainer
from ohlora.stylegan.training_config import Phase, TrainingConfig

folder = Path(sys.argv[1])
trainer = Trainer(TrainingConfig(
    corpus=folder, folder=folder / "run", output=folder / "weights.safetensors", steps=3, perceptual=0.0,
    phases=(Phase(0.5, 2, 4), Phase(1.0, 1, 4, adversarial=True)), discriminator="convolutional",
    generator=GeneratorConfig(channels=(8, 8, 8, 8), w_dim=16, mapping_layers=2),
))
trainer.run()
total = sum(parameter.double().sum().item() for parameter in trainer.generator.parameters())
(folder / f"rank_{trainer.processes.rank}.txt").write_text(f"{trainer.processes.count} {trainer.images} {total!r}")
"""


@pytest.mark.full
def test_two_processes_train_one_generator(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    for shard in range(2):
        np.savez(
            tmp_path / f"shard_{shard:05d}.npz",
            images=dice.integers(0, 256, (12, 32, 32, 3)).astype(np.uint8),
            masks=dice.integers(0, 9, (12, 32, 32)).astype(np.uint8),
            alpha=np.full((12, 32, 32), 255, np.uint8),
            u=dice.standard_normal((12, VECTOR_SIZE)).astype(np.float32),
        )
    script = tmp_path / "train.py"
    script.write_text(SCRIPT, encoding="utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    subprocess.run([*launcher, str(script), str(tmp_path)], check=True, timeout=240, capture_output=True)
    first, second = ((tmp_path / f"rank_{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1))
    assert first == second and first.startswith("2 24 ")  # 3 steps of 4 images in each of two processes
    assert len((tmp_path / "run" / "history.jsonl").read_text(encoding="utf-8").splitlines()) == 1
