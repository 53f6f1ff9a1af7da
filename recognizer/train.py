"""Train a plate reader on plates made on the fly, or on any labelled set.

python -m recognizer.train out=runs/reader
python -m recognizer.train recognizer=lprnet images=200000 out=runs/lprnet
python -m recognizer.train data=labelled data.path=plates/ out=runs/mine
torchrun --nproc-per-node 2 -m recognizer.train out=runs/reader

Nothing but `out` is needed: plates of every type are drawn, photographed and forgotten while it learns. A
line of stats.jsonl tells how far it is every `tick` images. The same command goes on where it was stopped.

start=bundled data=labelled data.path=plates/ learning_rate=0.0005 goes on from the bundled reader with your
plates; start=FILE from other weights of the same symbols.

watch.mine=plates/ (a folder with labels.tsv) reads your plates at every tick and never trains on them.
data=labelled data.path=plates/ trains on them alone, data=blend data.path=plates/ mixes them with drawn
plates, `data.share` of each batch.

What comes out is weights.safetensors, for plate-read, plate-evaluate and plate-export (weights=FILE).
"""

from __future__ import annotations

from omegaconf import DictConfig

from synth.app import command


@command("train_recognizer")
def main(config: DictConfig) -> None:
    """Train a plate reader."""
    from recognizer.training import run

    run(config)


if __name__ == "__main__":
    main()
