"""Put new text on real plates and keep their style: a picture, a folder of them, or a list.

python -m gan.edit image=plate.jpg text=皖A12345 out=edited/
python -m gan.edit image=crops/ text=random out=anonymous/
python -m gan.edit image=wanted.tsv weights=runs/spg/weights.safetensors out=edited/

A list has lines path<TAB>new text. What stands on a picture is taken from the labels.tsv beside it, else it
is read: pictures of a folder that labels.tsv leaves out, too. With text=random every new text differs from
every old one, and the pictures are named by number, since names often hold the text. A picture from which the
reader still reads its old text, or all but one of its characters, is drawn again with other texts; if that
does not help it is not written. out has the pictures at their own size, labels.tsv of the new texts and, with
a reader, readings.tsv. Pictures that cannot be edited are told on standard error; the exit code is then 2.
"""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from gan import api
from gan.edit_wanted import Reader, Wanted, need_mode, need_seed, wanted_of, with_texts
from synth.app import command
from synth.dataset.atomic import disk_errors, need_no_data_set, write_atomic
from synth.errors import UserError
from synth.lazy import also_called
from synth.progress import Progress


@command("edit")
def main(config: DictConfig) -> int:
    """Edit plates."""
    from gan.edit_job import HEADER, READINGS, Job, Report, need_own_names
    from gan.spg.editor import Editor, weights_file

    need_mode(config.mode)
    need_seed(config.seed)
    out, given = Path(str(config.out)), Path(str(config.image))
    if out.resolve() == (given if given.is_dir() else given.parent).resolve():
        raise UserError(f"out: {out} has the pictures themselves; choose another folder")
    wanted = wanted_of(str(given), None if config.text is None else str(config.text), out)
    need_own_names(wanted)
    need_no_data_set(out)
    reader: Reader | None = None if config.reader is None else instantiate(config.reader)
    editor = Editor.of(weights_file(config.weights), config.precision)
    ready = with_texts(wanted, reader)
    taken = frozenset(one.item.text for one in ready if isinstance(one, Wanted))
    job = Job(editor, tuple(config.plates.types), config.accept, config.mode, config.seed, taken, reader)
    report = Report([HEADER], [READINGS])
    with disk_errors(out), Progress(len(ready), 0, "pictures") as progress:
        for batch in job.done(ready):
            report.add(batch, out)
            progress.add(len(batch))
        if len(report.labels) > 1:
            write_atomic(out / "labels.tsv", "\n".join(report.labels) + "\n")
        if len(report.readings) > 1:
            write_atomic(out / "readings.tsv", "\n".join(report.readings) + "\n")
    print(report.said(out))
    return 2 if report.refused else 0


also_called(__name__, api.edit)

if __name__ == "__main__":
    main()
