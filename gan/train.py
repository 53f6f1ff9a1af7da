"""Train a generator on real crops with known texts.

python -m gan.train gan=pix2pix source=labelled source.path=my_plates/ out=runs/gan
python -m gan.train gan=pix2pix_classic source.path=my_plates/ images=50000 out=runs/classic
python -m gan.train gan=spg source.path=my_plates/ out=runs/spg
torchrun --nproc-per-node 2 -m gan.train source.path=my_plates/ out=runs/gan
"""

from __future__ import annotations

from typing import Any

from hydra.utils import get_method
from omegaconf import DictConfig, OmegaConf

from gan.course import settings_of
from gan.loop import Course, run
from gan.runtime.distributed import start
from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors


@command("train_gan")
def main(config: DictConfig) -> None:
    """Train a generator."""
    need_positive(config, "images", "batch", "tick", "keep")
    processes = start(config.threads)
    settings = settings_of(config)
    course: Course[Any] = get_method(config.gan.course)(config, settings)  # before anything is written
    if processes.first:
        with disk_errors(settings.out):
            settings.out.mkdir(parents=True, exist_ok=True)
            OmegaConf.save(config, settings.out / "config.yaml", resolve=True)
    weights = run(settings, course, processes, config.resume)
    if processes.first:
        print(f"{weights}: {settings.images} images of {course.of}")


if __name__ == "__main__":
    main()
