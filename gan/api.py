"""`plate-edit` as a function: new text on a picture of a plate, in its style.

from gan import edit
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

if TYPE_CHECKING:
    import PIL.Image
    from numpy.typing import NDArray

    from gan.edit_job import Job
    from gan.edit_wanted import Reader, Reading, Wanted
    from gan.spg.editor import Editor
    from synth.sample import Image

    Picture = str | Path | NDArray[Any] | PIL.Image.Image


@dataclass(frozen=True)
class EditedPlate:
    """A picture with its new text."""

    image: Image  # H W 3 RGB, as large as the picture was
    text: str
    old: str  # what stood there
    type: str  # cn/blue
    mask: Image  # H W: coverage of the new characters, 255 where full
    reading: Reading | None  # of the result


@dataclass(frozen=True)
class Held:
    """The bytes of a picture that is in memory already."""

    image: Image

    def read(self) -> bytes:
        import cv2

        return bytes(cv2.imencode(".png", cv2.cvtColor(self.image, cv2.COLOR_RGB2BGR))[1])


class Keys(TypedDict, total=False):
    """The keywords of `edit`."""

    old: str | Sequence[str] | None
    plates: str | Sequence[str]
    seed: int
    mode: str
    accept: float
    read: bool
    weights: str | Path | None
    precision: str


@overload
def edit(image: Picture, text: str | Sequence[str] = ..., **keys: Unpack[Keys]) -> EditedPlate: ...


@overload
def edit(
    image: list[Any] | tuple[Any, ...], text: str | Sequence[str] = ..., **keys: Unpack[Keys]
) -> list[EditedPlate]: ...


def edit(
    image: Picture | list[Any] | tuple[Any, ...],
    text: str | Sequence[str] = "random",
    *,
    old: str | Sequence[str] | None = None,
    plates: str | Sequence[str] = "cn7",
    seed: int = 0,
    mode: str = "legal",
    accept: float = 0.6,
    read: bool = True,
    weights: str | Path | None = None,
    precision: str = "auto",
) -> EditedPlate | list[EditedPlate]:
    """Put `text` on a file, array (RGB) or Pillow image of a plate; a list gives a list.

    `text` is one for all, one for each, or `random`: another one of the same grammar, unlike all old ones.
    `old` is what stands there; without it the bundled reader reads it. `plates` are the types it may be, as
    in `synth.generate`. With `read` the result is read too, and a random edit that still shows its old text
    is drawn again. A picture that cannot be edited is a UserError that names it.

    >>> from synth import draw
    >>> plate = draw("cn/blue", "京A12345", stages="capture", capture="mild")
    >>> done = edit(plate.image, "沪B6789C", old=plate.text)
    >>> done.image.shape == plate.image.shape, done.old, done.type, done.text
    (True, '京A12345', 'cn/blue', '沪B6789C')
    >>> edit(plate.image, "沪B678", old=plate.text)
    Traceback (most recent call last):
    synth.errors.UserError: picture 0: ...
    """
    import numpy as np

    from gan.edit_wanted import with_texts

    several = isinstance(image, list | tuple) or (isinstance(image, np.ndarray) and image.ndim == 4)
    images: list[Any] = list(image) if several else [image]  # type: ignore[arg-type]
    reader = the_reader() if read or old is None else None
    wanted = with_texts(wanted_of(images, text, old), reader)
    ready: list[Wanted] = []
    for one in wanted:
        if isinstance(one, Exception):
            raise one
        ready.append(one)
    job = job_of(ready, plates, seed, mode, accept, weights, precision, reader if read else None)
    found: list[EditedPlate] = []
    for batch in job.done(ready):
        for done in batch:
            if isinstance(done, Exception):
                raise done
            kind, edited = done.task.plate.type.id, done.edited
            found.append(EditedPlate(edited.image, done.text, done.old, kind, edited.mask, done.reading))
    return found if several else found[0]


def wanted_of(
    images: Sequence[Picture], text: str | Sequence[str], old: str | Sequence[str] | None
) -> list[Wanted]:
    """Each picture with what stands on it, where that is known, and the text asked for."""
    from gan.edit_wanted import Wanted, asked
    from synth.dataset.picture import FileBlob, Labelled, fold

    texts, olds = each("text", text, len(images)), each("old", old or "", len(images))
    found = []
    for number, (one, new, own) in enumerate(zip(images, texts, olds, strict=True)):
        name = str(one) if isinstance(one, str | Path) else f"picture {number}"
        blob = FileBlob(Path(one)) if isinstance(one, str | Path) else Held(as_rgb(one, name))
        found.append(Wanted(Labelled(fold(own), name, blob), asked(new, name)))
    return found


def as_rgb(given: Any, name: str) -> Image:
    """H W 3 of an array or a Pillow image."""
    import numpy as np

    from synth.errors import UserError

    image = np.asarray(given.convert("RGB") if hasattr(given, "convert") else given)
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise UserError(f"{name}: {image.dtype} {image.shape} is no picture; give H W 3 (RGB) of uint8")
    return np.ascontiguousarray(image)


def each(name: str, given: str | Sequence[str], count: int) -> list[str]:
    """One for all, or one for each."""
    from synth.errors import UserError

    found = [given] * count if isinstance(given, str) else list(given)
    if len(found) != count:
        raise UserError(f"{name}: {len(found)} for {count} pictures; give one, or one for each")
    return found


def job_of(
    wanted: Sequence[Wanted],
    plates: str | Sequence[str],
    seed: int,
    mode: str,
    accept: float,
    weights: str | Path | None,
    precision: str,
    reader: Reader | None,
) -> Job:
    from gan.edit_job import Job
    from gan.edit_wanted import need_mode, need_seed
    from synth.api import composed, word

    need_mode(mode)
    need_seed(seed)
    key = "plates" if isinstance(plates, str) else "plates.types"
    types = composed("edit", (word(key, plates), "image=none", "out=none")).plates.types
    taken = frozenset(one.item.text for one in wanted)
    return Job(the_editor(weights, precision), tuple(types), accept, mode, seed, taken, reader)


def the_editor(weights: str | Path | None, precision: str) -> Editor:
    """The editor of a file; one that was trained again since is opened again."""
    from gan.spg.editor import weights_file

    file = weights_file(weights)
    return opened(file, precision, file.stat().st_mtime_ns if file.is_file() else 0)


@functools.lru_cache(maxsize=4)
def opened(file: Path, precision: str, changed: int) -> Editor:
    """Kept, because to open it costs as much as fifty edits; `changed` is when the file was."""
    from gan.spg.editor import Editor

    return Editor.of(file, precision)


@functools.cache
def the_reader() -> Reader:
    from hydra.utils import instantiate

    from synth.api import composed

    reader: Reader = instantiate(composed("edit", ("image=none", "out=none")).reader)
    return reader
