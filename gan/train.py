"""Train a generator on real crops with known texts.

python -m gan.train gan=pix2pix source.path=crops/ out=runs/gan
python -m gan.train gan=pix2pix_classic source.path=crops/ out=runs/classic
python -m gan.train gan=spg source.path=crops/ keep=4000 out=runs/spg
torchrun --nproc-per-node 2 -m gan.train source.path=crops/ out=runs/gan

pix2pix draws clean plates as photographs, in the styles of the crops; plate-generate takes what it has learnt
with stages.pix2pix.weights=FILE. pix2pix_classic is the baseline to compare it with: no styles. spg puts new
texts on real plates: plate-edit weights=FILE; until gan.real.begins images it sees rendered plates alone.

crops/ stands for a few hundred pictures of one plate each, with a labels.tsv beside them (path text type
colour, with tabs); `source` names other kinds of sets. Look first whether they align: python -m gan.align.
The main keys are source.path, out, images, size (height and width, as large as the crops are) and, on few
cores, threads. What a network is made of and its losses stand under gan: gan.network.channels=16 is twice as
fast. reader=bundled keeps what is drawn legible, as in the training of the bundled weights; null, which fits
any alphabet, leaves its losses out.

The same command goes on where it was stopped. FILE is weights.safetensors in `out`; samples/ shows what has
been learnt so far.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

from hydra.utils import get_method
from omegaconf import DictConfig

from synth.app import command, keep_config, need_positive, need_same
from synth.errors import UserError

LEAST = {"threads": 1, "workers": 0, "seed": 0}


def need_numbers(config: DictConfig) -> None:
    """What torch and numpy would stumble over, told by its key."""
    for key, least in LEAST.items():
        value = config[key]
        if (type(value) is not int or value < least) and not (key == "threads" and value is None):
            raise UserError(f"{key}: {value!r} is not a whole number of {least} or more")
    for key in ("learning_rate", "judge_rate"):
        value = config[key]
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise UserError(f"{key}: {value!r} is not a number above 0")
    for key in ("decay", "average"):
        value = config[key]
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise UserError(f"{key}: {value!r} is no share between 0 and 1")


@command("train_gan")
def main(config: DictConfig) -> None:
    """Train a generator."""
    from gan.course import settings_of
    from gan.loop import Course, run
    from gan.runtime.distributed import start

    need_positive(config, "images", "batch", "tick", "keep")
    need_numbers(config)
    processes = start(config.threads)
    need_same(config, Path(config.out))
    settings = settings_of(config)
    course: Course[Any] = get_method(config.gan.course)(config, settings)  # before anything is written
    note = functools.partial(keep_config, config, settings.out)
    with processes.hold(settings.out):
        weights = run(settings, course, processes, config.resume, note)
    if processes.first:
        print(f"{weights}: {settings.images} images of {course.of}")


if __name__ == "__main__":
    main()
