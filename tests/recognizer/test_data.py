"""Training pictures: the same batches from any number of workers and processes, in any resumed place."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import DictConfig
from torch.utils.data import IterableDataset

from gan.runtime.window import Window, loader
from recognizer.checkpoint import Header
from recognizer.data import Batch, Blend, Lesson, Shuffled, Stream, as_input, collate, fit, lessons_of
from recognizer.loop import MakeData
from recognizer.training import header_of, make_data
from synth.dataset.picture import FileBlob, Labelled
from synth.errors import UserError

NOWHERE = np.full((4, 2), np.nan, np.float32)


def first(dataset: IterableDataset[Batch], count: int, workers: int = 0) -> list[Batch]:
    return list(itertools.islice(loader(dataset, workers), count))


def assert_same(left: list[Batch], right: list[Batch]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        for name in Batch.__dataclass_fields__:
            assert torch.equal(getattr(one, name), getattr(other, name)), name


def test_collate_and_input(header: Header) -> None:
    images = [np.full((4, 6, 3), value, np.uint8) for value in (0, 255)]
    batch = collate(images, ["京A1", "8"], ["cn/yellow_double", "cn/unknown"], header.codec, [NOWHERE] * 2)
    assert batch.images.shape == (2, 3, 4, 6) and batch.images.dtype == torch.uint8
    assert batch.targets.tolist() == header.codec.encode("京A18") and batch.lengths.tolist() == [3, 1]
    assert batch.types.tolist() == [1, -1]
    assert as_input(batch.images).flatten(1).aminmax(dim=1).max.tolist() == [-1.0, 1.0]
    assert fit(np.zeros((500, 9, 3), np.uint8), 32, 96).shape == (32, 96, 3)


def test_batches_do_not_depend_on_the_number_of_workers(clean: MakeData) -> None:
    window = Window(size=3, first=2, step=2)
    alone = first(clean(window), 5)
    assert alone[0].images.shape == (3, 3, 32, 96)
    assert len({bytes(batch.images.numpy()) for batch in alone}) == 5
    assert_same(alone, first(clean(window), 5, workers=2))


def test_batches_go_on_from_any_place(clean: MakeData) -> None:
    assert_same(first(clean(Window(3)), 6)[4:], first(clean(Window(3, first=4)), 2))


def test_processes_share_the_row_without_overlap(clean: MakeData) -> None:
    whole = first(clean(Window(2)), 6)
    ranks = [first(clean(Window(2, first=rank, step=2)), 3) for rank in (0, 1)]
    assert_same(whole, [batch for step in zip(*ranks, strict=True) for batch in step])


def test_two_processes_see_what_one_sees_with_the_double_batch() -> None:
    one, two = Window(8, first=3), [Window(4, first=6 + rank, step=2) for rank in (0, 1)]
    for number, *numbers in itertools.islice(
        zip(one.numbers(), *(w.numbers() for w in two), strict=False), 5
    ):
        halves = [place for w, n in zip(two, numbers, strict=True) for place in w.places(n)]
        assert halves == list(one.places(number))


def test_lessons_switch_where_they_should(composed: Callable[..., DictConfig]) -> None:
    curriculum = (
        "[{until: 8, with: {plates: {types: [cn/yellow]}}},{until: 16, with: {height_px: 40}},{until: 99}]"
    )
    config = composed("plates=cn7", "plates.types=[cn/blue]", "stages=template", f"curriculum={curriculum}")
    lessons = lessons_of(config)
    assert [lesson.until for lesson in lessons] == [8, 16, 99]
    assert [lesson.config["height_px"] for lesson in lessons] == [64, 40, 64]
    header = header_of(config)
    stream = make_data(config, header)(Window(4))
    assert [stream.lesson(n) for n in (0, 7, 8, 15, 16, 98, 99, 10**9)] == [0, 0, 1, 1, 2, 2, 2, 2]  # type: ignore[attr-defined]
    types = [{header.types[n] for n in batch.types.tolist()} for batch in first(stream, 5)]
    assert types == [{"cn/yellow"}] * 2 + [{"cn/blue"}] * 3


def test_the_shipped_curriculum_ends_in_the_whole_capture(composed: Callable[..., DictConfig]) -> None:
    config = composed()
    lessons = lessons_of(config)
    assert lessons[-1].until > config.images
    assert [lesson.until for lesson in lessons] == sorted({lesson.until for lesson in lessons})
    mixes = [lesson.config["stages"]["reader"] for lesson in lessons]
    cameras = [mix["ways"]["capture"]["capture"]["severity"] for mix in mixes]
    assert cameras == sorted(cameras) and [0.0, 1.0] in cameras and cameras[-1][1] == 1.0
    for drawn in ("phone", "street"):
        shares = [mix["weights"][drawn] for mix in mixes]
        assert [share > 0 for share in shares] == [camera[1] == 1.0 for camera in cameras]  # cheap ones first
        assert mixes[-1]["ways"][drawn]["pix2pix"]["check"] is None


def test_a_lesson_reaches_what_refers_to_its_keys(composed: Callable[..., DictConfig]) -> None:
    lesson = "[{until: 8, with: {capture: {severity: [0, 0.3]}}},{until: 99}]"
    lessons = lessons_of(composed("plates=cn7", "stages=capture", f"curriculum={lesson}"))
    assert [one.config["stages"]["capture"]["severity"] for one in lessons] == [[0, 0.3], [0.0, 0.7]]


@pytest.mark.parametrize(
    ("curriculum", "said"),
    [
        ("[]", "curriculum: empty"),
        ("[5]", r"curriculum\[0\]: 5 is no lesson"),
        ("[{until: soon}]", r"curriculum\[0\]: .* is no lesson"),
        ("[{until: 9}, {until: 9}]", r"curriculum\[1\].until: 9: the lesson before ends at 9"),
        ("[{until: 9, with: {learning_rate: 1}}]", r"curriculum\[0\]: 'learning_rate' changes nothing"),
        ("[{until: 9, with: {captur: {}}}]", r"'captur' changes nothing in the plates"),
        ("[{until: 9}, {until: 99, with: {capture: {severity: [0, 7]}}}]", r"curriculum\[1\]: .*severity"),
    ],
)
def test_a_mistake_in_a_lesson_is_told_before_the_first_image(
    curriculum: str, said: str, composed: Callable[..., DictConfig]
) -> None:
    with pytest.raises(UserError, match=said):
        lessons_of(composed("plates=cn7", "stages=capture", f"curriculum={curriculum}"))


def test_lessons_of_a_blend_go_by_all_its_images(header: Header) -> None:
    lessons = [Lesson(16, {}), Lesson(100, {})]

    def made(window: Window, whole: int) -> Stream:
        return Stream(lessons, header.codec, (32, 96), window, whole)

    def found(window: Window) -> Shuffled:
        return Shuffled([], header.codec, (32, 96), window, 0)

    stream = Blend(made, found, Window(8), 0.25).made
    assert stream.window.size == 6 and [stream.lesson(8 * n) for n in range(4)] == [0, 0, 1, 1]
    assert stream.whole == 8


@pytest.fixture
def items(tmp_path: Path) -> list[Labelled]:
    """Ten grey pictures whose brightness is their number."""
    import cv2

    found = []
    for number in range(10):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((32, 96, 3), number, np.uint8))
        found.append(
            Labelled(f"京A{number}", f"{number}.png", FileBlob(tmp_path / f"{number}.png"), "cn/blue")
        )
    return found


def numbers(batches: list[Batch]) -> list[int]:
    return [int(image.flatten()[0]) for batch in batches for image in batch.images]


def test_shuffled_covers_every_picture_once_a_round(items: list[Labelled], header: Header) -> None:
    seen = numbers(first(Shuffled(items, header.codec, (32, 96), Window(4), seed=1), 15))
    rounds = [seen[start : start + 10] for start in range(0, 60, 10)]
    assert all(sorted(turn) == list(range(10)) for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) > 1  # each round in another order
    other = numbers(first(Shuffled(items, header.codec, (32, 96), Window(4), seed=2), 15))
    assert other != seen and Counter(other) == Counter(seen)


def test_shuffled_labels_stay_with_their_pictures(items: list[Labelled], header: Header) -> None:
    for batch in first(Shuffled(items, header.codec, (32, 96), Window(4), seed=1), 5):
        texts = batch.targets.reshape(4, 3)[:, 2].tolist()
        assert texts == [header.codec.encode(str(number))[0] for number in numbers([batch])]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_picture_is_one_line_from_any_process(
    workers: int, items: list[Labelled], header: Header
) -> None:
    for item in items:
        assert isinstance(item.blob, FileBlob)
        item.blob.path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"^\d\.png: not a picture that can be decoded; [^\n]*$"):
        first(Shuffled(items, header.codec, (32, 96), Window(4), seed=1), 1, workers)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as plate-generate leaves it."""
    from hydra import compose, initialize_config_module

    from synth.generate import generate

    out = tmp_path_factory.mktemp("generated") / "plates"
    with initialize_config_module("conf", version_base="1.3"):
        config = compose(
            "generate", [f"out={out}", "count=60", "plates=cn7", "stages=template", "engine=serial"]
        )
    generate(config)
    return out


def test_a_generated_folder_is_a_training_set(generated: Path, composed: Callable[..., DictConfig]) -> None:
    config = composed("data=labelled", "data.source=folder", f"data.path={generated}")
    header = header_of(config)
    (batch,) = first(make_data(config, header)(Window(8)), 1)
    assert batch.images.shape == (8, 3, header.height, header.width)
    assert bool((batch.types >= 0).all()) and int(batch.lengths.min()) >= 7


@pytest.mark.parametrize(
    ("path", "said"), [("null", "data.path: missing"), ("nowhere", "nowhere: no such folder")]
)
def test_a_set_that_is_not_there(path: str, said: str, composed: Callable[..., DictConfig]) -> None:
    config = composed("data=labelled", f"data.path={path}")
    with pytest.raises(UserError, match=said):
        make_data(config, header_of(config))


CCPD = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"


def test_plates_are_cut_out_of_scenes(tmp_path: Path, composed: Callable[..., DictConfig]) -> None:
    import cv2

    scene = np.zeros((1160, 720, 3), np.uint8)
    cv2.fillPoly(scene, [np.array([[386, 473], [177, 454], [154, 383], [363, 402]])], (255, 255, 255))
    (tmp_path / "ccpd_base").mkdir()
    cv2.imwrite(str(tmp_path / "ccpd_base" / f"{CCPD}.jpg"), scene)
    words = ["data=labelled", "data.source=ccpd", f"data.path={tmp_path}"]
    config = composed(*words)
    header = header_of(config)
    (batch,) = first(make_data(config, header)(Window(2)), 1)
    assert float(batch.images.float().mean()) > 150  # the plate, not the street around it
    corners = batch.corners[0]
    assert bool((corners >= 0).all() and (corners <= 1).all()) and float(corners[0, 0]) < 0.1
    (whole,) = first(make_data(composed(*words, "data.crop=whole"), header)(Window(2)), 1)
    assert float(whole.images.float().mean()) < 20
    assert float(whole.corners[0, 2, 0]) == pytest.approx(386 / 720)
    with pytest.raises(UserError, match=r"data.crop=hole: unknown"):
        make_data(composed(*words, "data.crop=hole"), header)


def test_what_is_not_learnt_from_is_told(
    tmp_path: Path, composed: Callable[..., DictConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    import cv2

    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, 96, 3), np.uint8))
    lines = ("path\ttext\ttype", "a.png\t京A12345\tsingle", "b.png\t京A12346\tblue", "gone.png\t京A1\tblue")
    (tmp_path / "labels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    config = composed("data=labelled", f"data.path={tmp_path}")
    make_data(config, header_of(config))
    said = capsys.readouterr().err
    assert "2 pictures read as labelled, left out: 1 missing" in said
    assert "no type is learnt from plates of type single (1)" in said
    (tmp_path / "labels.tsv").write_text("path\ttext\na.png\t京A123★5\n", "utf-8")
    with pytest.raises(UserError, match=r"labels.tsv:2: text .* is not in the reader's vocabulary"):
        make_data(config, header_of(config))
