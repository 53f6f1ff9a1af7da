"""Every effect alone: changes pixels, keeps shape and type, and is replayed by its recorded numbers."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from synth.api import composed
from synth.capture import grade, lens, light, pool, sensor, surface
from synth.capture.background import Background, lay_background
from synth.capture.bend import Bend, bend_image, bend_points
from synth.capture.effect import Effect, Picture, draws, short
from synth.capture.surround import Surround, draw_surround
from synth.errors import UserError
from synth.seeding import rng_for
from synth.targets import made
from synth.template import Plan, Template

EFFECTS: dict[str, Effect] = {
    "dirt": surface.Dirt(1, (0.5, 0.9)),
    "dull": surface.Dull((0.3, 0.5), 1.5),
    "specks": surface.Specks(1, (0.1, 0.14), (0.8, 1)),
    "fade": surface.Fade(1, (0.3, 0.4)),
    "gradient": light.Gradient(1, (0.4, 0.7)),
    "shadow": light.Shadow(1, (0.4, 0.6), (0.02, 0.4)),
    "glare": light.Glare(1, (100, 150), (0.3, 0.5)),
    "grade": grade.Grade(
        (0.5, 0.8),
        (0.8, 1.2),
        (0.9, 1.1),
        (0.9, 1.2),
        (1.2, 1.6),
        (-9, 9),
        (0.1, 0.3),
        (90, 150),
        (0.8, 1.2),
        (0, 1),
        0.3,
    ),
    "bleach": grade.Bleach(1, (0.2, 0.3), (1, 1.5)),
    "night": grade.Night(1, (0.2, 0.5), (3, 9), (0.2, 1)),
    "defocus": lens.Defocus(1, (0.04, 0.07)),
    "motion": lens.Motion(1, (0.15, 0.3)),
    "noise": sensor.Noise(1, (4, 9)),
    "bleed": sensor.Bleed(1, (0.05, 0.1), (20, 60)),
    "sharpen": sensor.Sharpen(1, (0.8, 1.5), (0.8, 1.4)),
    "banding": sensor.Banding(1, (6, 12), (2, 5)),
    "jpeg": sensor.Jpeg(1, (30, 60)),
}


def picture() -> Picture:
    return Picture(Template(Plan(("cn/blue",)), 64).draw(0, 0).image, 41.0)


def numbers_of(params: object) -> list[float]:
    """All that was drawn and is no whole number."""
    parts = params.values() if isinstance(params, dict) else params
    if isinstance(params, dict | list):
        return [number for part in parts for number in numbers_of(part)]
    return [params] if isinstance(params, float) else []


@pytest.mark.parametrize("name", EFFECTS)
def test_alone(name: str) -> None:
    effect, before = EFFECTS[name], picture()
    kept = before.image.copy()
    params = effect.sample(draws(rng_for(1, 2, name)), 1.0)
    assert params is not None and json.loads(json.dumps(params)) == params
    assert all(value == short(value) for value in numbers_of(params))
    after, again = effect.apply(before, params), effect.apply(before, params)
    assert after.image.shape == kept.shape and after.image.dtype == np.uint8
    assert np.mean(after.image != kept) > 0.01
    assert np.array_equal(after.image, again.image) and np.array_equal(before.image, kept)


@pytest.mark.parametrize("name", EFFECTS)
def test_severity_decides_how_often(name: str) -> None:
    effect = EFFECTS[name]
    if "share" not in vars(effect) or name in {"sharpen", "jpeg", "bleed"}:
        pytest.skip("what every photograph of this camera has")
    rare = type(effect)(**{**vars(effect), "share": 0.3})
    counts = [
        sum(rare.sample(draws(rng_for(1, n, name)), severity) is not None for n in range(300))
        for severity in (0, 1)
    ]
    assert counts[0] < 40 < 110 < counts[1]


def test_ranges_are_checked() -> None:
    with pytest.raises(UserError, match=r"effects\.motion\.length"):
        lens.Motion(1, (0.5, 0.1))
    with pytest.raises(UserError, match=r"share"):
        sensor.Noise(1.5, (1, 2))


def test_specks_may_lie_across_every_side() -> None:
    speck = surface.Specks(1, (0.3, 0.3), (1, 1))
    params = speck.sample(draws(rng_for(0, 0, "specks")), 1.0)
    assert params is not None
    spot = params["spots"][0] | {"colour": 3}
    for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0.5, 0)):
        before = picture()
        after = speck.apply(before, {"spots": [spot | {"x": x, "y": y}]}).image
        row, column = (
            min(int(y * len(after)), len(after) - 1),
            min(int(x * after.shape[1]), after.shape[1] - 1),
        )
        assert np.abs(after[row, column].astype(int) - surface.SPECKS[3]).max() <= 1
        assert np.array_equal(after[::-1, ::-1][row, column], before.image[::-1, ::-1][row, column])


def test_motion_kernels_are_centred() -> None:
    for length in (0.0, 1.0, 2.5, 7.2):
        for angle in (0, 30, 90, 145):
            kernel = lens.path(length, angle)
            assert kernel.sum() == pytest.approx(1)
            assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


def test_pools_are_pure_functions() -> None:
    first = pool.noise(5).copy(), pool.blotches(3).copy()
    pool.noise.cache_clear()
    pool.blotches.cache_clear()
    assert np.array_equal(first[0], pool.noise(5)) and np.array_equal(first[1], pool.blotches(3))
    assert abs(float(pool.noise(4).mean()) - 128) < 1 and pool.noise(4).std() == pytest.approx(32, abs=2)
    assert pool.window(pool.noise(0), 0.9, 0.9, 700, 900).shape == (700, 900, 3)


def test_bend_moves_points_with_pixels() -> None:
    bend = Bend(1, (0.1, 0.1))
    params = bend.sample(draws(rng_for(0, 0, "bend")), 1.0)
    assert params is not None
    quad = np.float32([[20, 20], [180, 20], [180, 80], [20, 80]])
    for x in (40, 100, 150):
        image = np.zeros((100, 200), np.uint8)
        image[49:52, x - 1 : x + 2] = 255
        moved = bend_image(image, params, quad)
        y = float((moved.sum(axis=1) @ (np.arange(100) + 0.5)) / moved.sum())
        want = bend_points(np.float32([[x + 0.5, 50.5]]), params, quad)[0, 1]
        assert y == pytest.approx(want, abs=0.2) and abs(want - 50.5) > 1
    assert np.allclose(bend_points(quad, params, quad), quad)


def test_background_and_surround() -> None:
    plate = (30, 20, 200, 64)
    backdrop = Background((0.8, 1.2), 1.0, (0.1, 0.2))
    seen = {
        lay_background(backdrop.sample(draws(rng_for(0, n, "b")), 0.5), 110, 260, plate).tobytes()
        for n in range(9)
    }
    assert len(seen) == 9
    image = np.full((110, 260, 3), 128, np.uint8)
    params = Surround(1, (0.05, 0.05), (0.03, 0.03), 1, (0.2, 0.2)).sample(draws(rng_for(0, 0, "s")), 1.0)
    assert params is not None
    draw_surround(image, params, plate)
    assert (image[86:94, 60:200] != 128).any() and (image[30:70, 40:220] == 128).all()


def ranges() -> list[str]:
    """Every range of the phone camera: a list of two numbers under its dotted key."""
    leaves = OmegaConf.to_container(composed("generate", ["out=x"]).capture.cameras.phone)
    return [key for key, value in lists(leaves) if len(value) == 2 and not key.endswith("enlarges")]


def lists(node: Any, where: str = "") -> Iterator[tuple[str, list[float]]]:
    if isinstance(node, list):
        yield where, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from lists(value, f"{where}.{key}" if where else str(key))


@pytest.mark.parametrize("given", [[5.0], [float("nan"), 1.0], [-1e9, 1e9], [0.9, 0.2]])
def test_every_range_is_checked_before_a_worker_draws_from_it(given: list[float]) -> None:
    phone: Any = OmegaConf.to_container(composed("generate", ["out=x"]).capture.cameras.phone)
    assert len(ranges()) > 40
    for key in ranges():
        config = OmegaConf.create(copy.deepcopy(phone))
        OmegaConf.update(config, key, given)
        with pytest.raises(UserError, match=f"{re.escape(key)}: .* is no range"):
            made(OmegaConf.to_container(config), "capture.cameras.phone")


@pytest.mark.parametrize("key", ["resolution.weights", "thumbnail.shrinks", "thumbnail.enlarges"])
@pytest.mark.parametrize("given", [[1.0], [0.0, 0.0, 0.0], [1.0, -1.0, 1.0, 1.0], [0.0, 0.0]])
def test_weights_are_as_many_as_there_are_choices(key: str, given: list[float]) -> None:
    config = composed("generate", ["out=x"]).capture.cameras.phone
    OmegaConf.update(config, key, given)
    with pytest.raises(UserError, match=f"{re.escape(key)}: .* are no weights of linear"):
        made(OmegaConf.to_container(config), "capture.cameras.phone")
