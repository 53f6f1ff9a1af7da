"""Check any data set we can read, ours or another's: broken files, bad labels, duplicates, leaks, balance.

python -m synth.validate path=plates/
python -m synth.validate path=CCPD2019/ source=ccpd
"""

from __future__ import annotations

import json
from pathlib import Path

from omegaconf import DictConfig

from synth.app import command
from synth.catalogue import type_names
from synth.dataset.atomic import need_replaceable, write_atomic
from synth.dataset.validate import plausible, validate
from synth.grammar import candidates, grammar_of


def check_text(text: str, type_name: str) -> str | None:
    """Why a text cannot stand on a plate of the named type, or on any where the type is not one of ours."""
    if type_name in type_names():
        return grammar_of(type_name).problem(text, "uniform")
    why = plausible(text, type_name)
    return why if why and not candidates(text, type_names()) else None


@command("validate")
def main(config: DictConfig) -> int:
    """Print what is wrong with a data set; exit 1 when something is."""
    if config.out:
        need_replaceable(Path(config.out), '{\n "source"')
    report = validate(Path(config.path), config.source.name if "source" in config else None, check_text)
    print(report.text())
    if config.out:
        write_atomic(Path(config.out), json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    return 0 if report.ok else 1


if __name__ == "__main__":
    main()
