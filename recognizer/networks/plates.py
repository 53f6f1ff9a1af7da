"""PlateNet: one small convolutional reader for one- and two-row plates of every type.

With `flat` a finder says where the plate's corners are, and the rest sees the plate made flat, in grey; its
colours are looked at apart, for the type alone. Without, the whole crop is read as it lies. Either way the
picture becomes a map a few cells high; nothing is cut at a fixed height, so two-row plates are read like any
other. Two heads read the map (docs/results.md compares them):

- `slots` (default): one attention map a symbol; the first looks for the province or the Japanese office.
  Where `first_at` says where that stands on each type, a close look has a second opinion on it; where
  `kana_at` does so for the kana, also on that.
- `lines`: the map shrinks to two rows, which CTC reads as one sequence, upper row first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.losses import lightness
from recognizer.networks.blocks import Context, Convolution, Residual, standardised
from recognizer.networks.close import Close, Places
from recognizer.networks.finder import Finder, flattened, strayed
from recognizer.networks.slots import Slots

TINTS = (12, 32)  # rows and columns at which a flat plate's colours are looked at


class Lines(nn.Module):
    """Two rows of the map, the upper one first, as one sequence for CTC."""

    def __init__(self, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.rows = Convolution(channels, channels, stride=(2, 1))
        self.classes = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def forward(self, x: Tensor) -> Tensor:  # x: N C 4 W
        scores: Tensor = self.classes(self.rows(x).flatten(2).transpose(1, 2))  # N 2W classes
        return scores


class Tints(nn.Module):
    """Ground colours, ornaments and pictures of a flat plate, coarsely: what tells its type."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Convolution(3, 24), Convolution(24, outputs, stride=(2, 2)))

    def forward(self, x: Tensor, corners: Tensor) -> Tensor:  # x: N 3 H W
        return pooled(self.body(flattened(F.avg_pool2d(x, (4, 2)), corners, TINTS)))


class PlateNet(nn.Module):
    """About 1.91 M parameters and 111 MMAC at 64 x 128, flat at 48 x 128, as `recognizer=plates` sets it."""

    def __init__(
        self,
        classes: int,
        types: int,
        height: int = 64,
        width: int = 128,
        widths: tuple[int, ...] = (32, 48, 96, 104, 128),
        head: str = "slots",
        slots: int = 12,
        parts: int = 1,
        dropout: float = 0.1,
        flat: tuple[int, int] | None = None,
        tints: int = 48,
        looks: int = 3,
        first_at: Places | None = None,
        kana_at: Places | None = None,
        kana: Sequence[int] = (),
    ) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.flat = (int(flat[0]), int(flat[1])) if flat is not None else None
        self.finder = Finder(height, width, looks) if flat is not None else None
        self.tints = Tints(tints) if flat is not None else None
        if self.flat is not None:
            height, width = self.flat
        self.features = nn.Sequential(  # H W are those of 64 x 128
            Convolution(3 if flat is None else 1, a, stride=(2, 2)),  # 32 64
            Convolution(a, b, stride=(2, 2)),  # 16 32
            Residual(b, 2 * b // 3, 3),
            Convolution(b, c, stride=(2, 1)),  # 8 32
            Residual(c, c // 2, 1),
            Convolution(c, d, stride=(2, 1)),  # 4 32
            Residual(d, d // 2, 1),
            Convolution(d, e, 1),
            Context(e, (3, 11)),
            Context(e, (3, 11)),
        )
        cells = (-(-height // 16), -(-width // 4))
        self.slotted = head == "slots"  # tells the training which loss its scores want
        self.text = (
            Slots(e, classes, slots, cells, dropout, parts) if self.slotted else Lines(e, classes, dropout)
        )
        seen = 2 * e + (2 * tints if flat is not None else 0)
        self.kind = nn.Sequential(nn.Linear(seen, 96), nn.ReLU(inplace=True), nn.Linear(96, types))
        close = self.slotted and flat is not None and first_at is not None
        places = [at for at in (first_at, kana_at) if at is not None and any(at)]
        self.close = Close(places, classes, dropout) if close else None
        self.kana = list(kana) if close and len(places) > 1 else []
        self.register_buffer("of_kana", torch.eye(classes)[self.kana], persistent=False)
        self.habit = nn.Parameter(torch.zeros(types, slots, classes)) if self.slotted else None

    def forward(self, x: Tensor, apart: bool = False) -> tuple[Tensor, ...]:
        """N 3 H W -> scores of text and type.

        With `apart`, of a network that finds plates, also what training needs: the corners of all looks,
        N looks 4 2, and what the close look makes of the first symbol, N classes, and of the kana, N kana;
        then neither is in the text.
        """
        x = standardised(x)
        if self.finder is None or self.tints is None or self.flat is None:
            x = self.features(x)  # N E 4 32
            kind = self.kind(pooled(x))
            return self.read(x, self.before(kind)), kind
        corners = self.finder(x)  # N looks 4 2
        known = corners[:, -1].detach()
        if self.training:
            known = strayed(known)
        tints, grey = self.tints(x, known), lightness(x)
        x = self.features(standardised(flattened(grey, known, self.flat)))  # N E 3 32
        kind = self.kind(torch.cat([pooled(x), tints], dim=1))
        before = self.before(kind)
        text = self.read(x, before)
        if self.close is None or before is None:
            return (text, kind, corners) if apart else (text, kind)
        first, *more = self.close(grey, known, kind.detach().float().softmax(1)).unbind(1)
        first = first + before[:, 0]
        kana = [F.linear(scores, self.of_kana) for scores in more]  # type: ignore[arg-type]
        if apart:
            return text, kind, corners, first, *kana
        rest = text[:, 1:] if not kana else self.with_kana(text[:, 1:], kana[0])
        return torch.cat([(text[:, :1] + first[:, None]) / 2, rest], dim=1), kind

    def with_kana(self, text: Tensor, kana: Tensor) -> Tensor:
        """Where text is a kana, half of which one is the close look's word: N T classes, N kana."""
        own = F.linear(text, self.of_kana)  # type: ignore[arg-type]  # N T kana
        any_of_them = own.logsumexp(2, keepdim=True)
        both = ((own - any_of_them + kana.log_softmax(1)[:, None]) / 2).log_softmax(2) + any_of_them
        sure = (any_of_them - text.logsumexp(2, keepdim=True)).exp()  # that it is one
        said = own + sure * (both - own)
        said = said + any_of_them - said.logsumexp(2, keepdim=True)  # as sure as before
        return text + (said - own) @ self.of_kana  # type: ignore[operator]

    def before(self, kind: Tensor) -> Tensor | None:
        """N S classes: what the likely type shows in a slot and what not, for and against symbols."""
        if self.habit is None:
            return None
        sure = kind.detach().float().softmax(1).to(kind.dtype)
        return torch.einsum("nt,tsc->nsc", sure, self.habit.to(kind.dtype))

    def read(self, x: Tensor, before: Tensor | None) -> Tensor:
        """Scores of text."""
        scores: Tensor = self.text(x) if before is None else self.text(x, before)
        return scores


def pooled(x: Tensor) -> Tensor:
    """N C H W -> N 2C: means and greatest."""
    return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
