"""One kind of camera: where it stands, what is around its plates, what its light, lens and sensor do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from synth.capture.background import Background
from synth.capture.bend import Bend
from synth.capture.contrast import contrast_after, grey_levels
from synth.capture.effect import Draw, Effect, Params
from synth.capture.lies import Lies
from synth.capture.surround import Surround
from synth.capture.thumbnail import Thumbnail
from synth.capture.view import Crop, Pose, Resolution
from synth.errors import UserError
from synth.sample import Sample

CALMER = (0.6, 0.3, 0.0)  # severity of the second, third and fourth draw where too little contrast is left


@dataclass(frozen=True)
class Camera:
    """The ranges of one kind of camera; `effects` happen in the order of the mapping."""

    pose: Pose
    crop: Crop
    resolution: Resolution
    background: Background
    surround: Surround
    bend: Bend
    thumbnail: Thumbnail
    surface: Mapping[str, Effect] = field(default_factory=dict)  # on the flat plate
    effects: Mapping[str, Effect] = field(default_factory=dict)  # on the photograph
    lies: Lies = field(default_factory=Lies)  # in the place of pose and crop

    def __post_init__(self) -> None:
        taken = set(self.surface) & set(self.effects)
        if taken:
            raise UserError(
                f"capture.cameras: effect {min(taken)!r} is in surface and in effects; rename one"
            )

    @cached_property
    def whole(self) -> dict[str, Effect]:
        """What happens on the plate and on the photograph."""
        return {**self.surface, **self.effects}

    def draw(self, draw: Draw, sample: Sample, severity: float, floor: float) -> Params:
        """The numbers of one sample; effects that leave too little contrast are drawn again, calmer."""
        params: Params = {
            "pose": self.pose.sample(draw, severity),
            "crop": self.crop.sample(draw, severity),
            "resolution": self.resolution.sample(draw, severity),
            "background": self.background.sample(draw, severity),
            "surround": self.surround.sample(draw, severity),
            "bend": self.bend.sample(draw, severity),
        }
        whole = self.whole
        levels = grey_levels(sample.plate.type) if floor > 0 else (0.0, 255.0)
        for calm in (1.0, *CALMER):
            drawn = {name: effect.sample(draw, severity * calm) for name, effect in whole.items()}
            if contrast_after(levels, whole, drawn) >= floor:
                break
        drawn["thumbnail"] = self.thumbnail.sample(draw, severity)
        shape = sample.plate.type.width_mm / sample.plate.type.height_mm
        if (lies := self.lies.sample(draw, shape)) is not None:
            params["pose"] = lies
        return {name: value for name, value in {**params, **drawn}.items() if value is not None}
