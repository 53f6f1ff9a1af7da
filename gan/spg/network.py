"""The editor: the parts put together, trained and saved as one. Each part has a switch that leaves it out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan.blocks import joined, padded
from gan.outline import GLYPHS, PLATE
from gan.spg.encoders import LEVELS, STYLE_LEVELS, Pyramid, StyleEncoder
from gan.spg.generator import TargetGenerator
from gan.spg.ground import cast, common
from gan.spg.masks import MaskDecoder, grown, hinted, shares
from gan.spg.transformer import Mixed, Transformer


@dataclass(frozen=True)
class Edit:
    """What became of some sources."""

    picture: Tensor  # N 3 H W, in [-1, 1]
    drawn: Tensor  # N 3 H W, before anything of the source is kept
    new: Tensor  # N 1 H W: share of the picture that is drawn, not kept
    masks: Tensor  # N 2 H W, logits: characters of the source, characters asked for


class SPG(nn.Module):
    """About 2.9 M parameters at 32 channels."""

    def __init__(
        self,
        planes: int,
        channels: int = 32,
        style: int = 64,
        layers: int = 2,
        heads: int = 4,
        source: bool = True,
        transformer: bool = True,
        masks: bool = True,
        keep: bool = True,
        hint: bool = True,
        erase: bool = True,
        match: bool = True,
    ) -> None:
        super().__init__()
        self.hint = hint  # tell where the alignment lays the source's characters
        self.erase = erase  # keep nothing of the source where its characters are found
        self.match = match  # shift what is drawn to the source's colours beside it
        self.layout = Pyramid(planes, channels)
        self.source = Pyramid(4, channels) if source else None  # picture and hint
        self.style = StyleEncoder(channels, style) if style else None
        fuse = Transformer(4 * channels, layers, heads) if transformer else Mixed(4 * channels)
        self.fuse: nn.Module = fuse
        inputs = 3 + 1 + planes  # picture, hint, layout
        self.masks = MaskDecoder(channels, inputs) if masks else None
        self.generator = TargetGenerator(channels, style, inputs + 2, keep and source)

    def forward(self, source: Tensor, condition: Tensor, asked: Tensor, back: int = 0) -> tuple[Edit, Tensor]:
        """The edits, and the last `back` of them edited back to their own text (N 3 H W).

        source: N 3 H W, condition and asked: N C H W, all in [-1, 1]. Both in one forward, since
        DistributedDataParallel allows one a backward. No gradient goes back through the first edit: it would
        learn to hide the old text in dots nobody else reads, so that it can be edited back (Chu et al. 2017).
        """
        edit = self.edit(source, condition, asked)
        if not back:
            return edit, source[:0]
        seen = edit.picture[-back:].detach().to(source.dtype)
        return edit, self.edit(seen, asked[-back:], condition[-back:]).picture

    def edit(self, source: Tensor, condition: Tensor, asked: Tensor) -> Edit:
        height, width = source.shape[2:]
        glyphs = condition[:, GLYPHS : GLYPHS + 1]
        hint = glyphs if self.hint else torch.full_like(glyphs, -1)
        seen = source if self.source is not None else torch.zeros_like(source)
        given = padded(joined(seen, hint, asked), 2**LEVELS)
        picture, hint, asked = given[:, :3], given[:, 3:4], given[:, 4:]
        layout = self.layout(asked)
        found = (
            self.source(given[:, :4]) if self.source is not None else [torch.zeros_like(x) for x in layout]
        )
        fused = self.fuse(layout[2], found[2])
        hints = torch.cat([hint, asked[:, GLYPHS : GLYPHS + 1]], dim=1)
        if self.masks is not None:
            logits = self.masks(fused, found, layout, given, hints)
            where = shares(logits)
        else:
            where = hinted(hints).clamp(1e-3, 1 - 1e-3)
            logits = torch.logit(where.float())
        code = self.style(padded(joined(source), 2**STYLE_LEVELS)) if self.style is not None else picture
        drawn, new = self.generator(fused, found, layout, joined(given, where), code)
        if self.erase:
            new = torch.maximum(new, grown(where[:, :1].detach().to(new.dtype)))
        if self.match:
            drawn = drawn + cast(picture, drawn, common(asked[:, PLATE : PLATE + 1], where.detach()))
        done = (picture + new * (drawn - picture)).clamp(-1, 1)
        return Edit(*(x[:, :, :height, :width] for x in (done, drawn, new, logits)))
