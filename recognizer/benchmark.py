"""What is training data worth? Readers trained on each kind of it, tested on real and fresh synthetic plates.

python -m recognizer.benchmark experiment=smoke out=smoke
python -m recognizer.benchmark out=proof tests.street=street/ tests.ccpd=ccpd/ scarcity.path=crops/
python -m recognizer.benchmark out=mine tests.mine=crops/ readers=[command] reader.command="python read.py"

The keys below are those without an experiment; the default, experiment=proof, has its own images, seeds, jobs
and types: --cfg job shows them.

Writes report.md, report.json and report.html. Everything finished is kept in `out`: the same command goes on
where it was, and one with another test set trains nothing again.
"""

from __future__ import annotations

from omegaconf import DictConfig

from synth.app import command


@command("benchmark")
def main(config: DictConfig) -> None:
    """Measure what training data is worth."""
    from recognizer.proof.measured import run

    run(config)


if __name__ == "__main__":
    main()
