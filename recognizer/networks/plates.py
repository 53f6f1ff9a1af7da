"""PlateNet: one small convolutional reader for one- and two-row plates of every type.

With `flat` a finder says where the plate's corners are, and the rest sees the plate made flat, in grey; its
colours are looked at apart, for the type alone. Without, the whole crop is read as it lies. Either way the
picture becomes a map a few cells high; nothing is cut at a fixed height, so two-row plates are read like any
other. Two heads read the map (docs/results.md compares them):

- `slots` (default): one attention map a symbol; the first looks for the province or the Japanese office.
  Where `first_at` says where that stands on each type, a close look has a second opinion on it; where
  `kana_at` and `class_at` do so for kana and class, also on these.
- `lines`: the map shrinks to two rows, which CTC reads as one sequence, upper row first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.losses import lightness
from recognizer.networks.blocks import Context, Convolution, Residual, standardised
from recognizer.networks.close import MOST, ClassLook, Close, Places
from recognizer.networks.finder import Finder, flattened, strayed
from recognizer.networks.slots import Slots

TINTS = (12, 32)  # rows and columns at which a flat plate's colours are looked at
FIRST, KANA = 0, 1  # places that are looked at closely
POSSIBLE = 1e-3  # how sure it must be at least that a type has a kana, or nobody looks for one


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
    """About 1.99 M parameters and 114 MMAC at 64 x 128, flat at 48 x 128, as `recognizer=plates` sets it."""

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
        shrunk: int = 1,
        first_at: Places | None = None,
        kana_at: Places | None = None,
        kana: Sequence[int] = (),
        class_at: Places | None = None,
        class_symbols: Sequence[int] = (),
    ) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.flat = (int(flat[0]), int(flat[1])) if flat is not None else None
        self.finder = Finder(height, width, looks, shrunk) if flat is not None else None
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
        has_class = bool(self.kana) and slots > MOST and class_at is not None and any(class_at)
        self.class_symbols = list(class_symbols) if has_class else []
        self.class_look = ClassLook(class_at or (), len(class_symbols), dropout) if has_class else None
        self.register_buffer("of_class", torch.eye(classes)[self.class_symbols], persistent=False)
        self.habit = nn.Parameter(torch.zeros(types, slots, classes)) if self.slotted else None

    def forward(self, x: Tensor, apart: bool = False) -> tuple[Tensor, ...]:
        """N 3 H W -> scores of text and type.

        With `apart`, of a network that finds plates, also what training needs: the corners of all looks,
        N looks 4 2, and what close looks make of the first symbol, N classes, of the kana, N kana, and of
        the class, N MOST symbols+1; then none of them is in the text.
        """
        x = standardised(x)
        if self.finder is None or self.tints is None or self.flat is None:
            x = self.features(x)  # N E 4 32
            kind = self.kind(pooled(x))
            return self.spread(self.read(x, self.before(kind))), kind
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
            text = self.spread(text)
            return (text, kind, corners) if apart else (text, kind)
        sure = kind.detach().float().softmax(1)
        if not apart:
            first = self.close(grey, known, sure, [FIRST])[:, 0] + before[:, 0]
            rest = self.with_later(text[:, 1:], grey, known, sure)
            return self.spread(torch.cat([(text[:, :1] + first[:, None]) / 2, rest], dim=1)), kind
        first, *more = self.close(grey, known, sure).unbind(1)
        more = [F.linear(scores, self.of_kana) for scores in more]  # type: ignore[arg-type]
        if self.class_look is not None:
            more.append(self.class_look(grey, known, sure))
        return self.spread(text), kind, corners, first + before[:, 0], *more

    def with_later(self, rest: Tensor, grey: Tensor, corners: Tensor, sure: Tensor) -> Tensor:
        """What follows the first symbol, N S classes, after the looks at kana and class.

        They are left out of batches in which no plate can have any, and on plates that cannot they are not
        heard: what a plate is read as never depends on the others.
        """
        if self.close is None or not self.kana:
            return rest
        there = (sure * self.close.shown[KANA]).sum(1) > POSSIBLE  # type: ignore[index]
        given = (rest, grey, corners, sure, there)
        if torch.compiler.is_compiling():  # an export makes a branch of it
            return torch.where(there.any(), self.looked(*given), rest)
        return self.looked(*given) if bool(there.any()) else rest

    def looked(self, rest: Tensor, grey: Tensor, corners: Tensor, sure: Tensor, there: Tensor) -> Tensor:
        assert self.close is not None
        kana = F.linear(self.close(grey, corners, sure, [KANA]), self.of_kana)  # type: ignore[arg-type]
        said = heard(rest, kana, self.of_kana)  # type: ignore[arg-type]
        if self.class_look is not None:
            asked = self.class_look(grey, corners, sure)
            said = self.with_class(said, asked, self.class_look.there(sure))
        return torch.where(there[:, None, None], said, rest)

    def with_class(self, rest: Tensor, asked: Tensor, there: Tensor) -> Tensor:
        """The class follows the first symbol: N S classes without that one, N MOST symbols+1, N."""
        told = asked.float().log_softmax(2)
        much = there[:, None] * (1 - told[..., -1].exp())  # N MOST: that there is a symbol of the class
        slots = heard(rest[:, :MOST], told[..., :-1], self.of_class, much[..., None])  # type: ignore[arg-type]
        return torch.cat([slots, rest[:, MOST:]], dim=1)

    def before(self, kind: Tensor) -> Tensor | None:
        """N S classes: what the likely type shows in a slot and what not, for and against symbols."""
        if self.habit is None:
            return None
        sure = kind.detach().float().softmax(1).to(kind.dtype)
        return (sure @ self.habit.to(kind.dtype).flatten(1)).unflatten(1, self.habit.shape[1:])

    def read(self, x: Tensor, before: Tensor | None) -> Tensor:
        """Scores of text: of the slots alone, N S classes, or of all lines."""
        scores: Tensor = self.text(x) if before is None else self.text(x, before)
        return scores

    def spread(self, text: Tensor) -> Tensor:
        """Scores as a CTC sequence."""
        return self.text.spread(text) if isinstance(self.text, Slots) else text


def heard(text: Tensor, other: Tensor, of: Tensor, much: Tensor | float = 1.0) -> Tensor:
    """Where slots show one of some symbols, half of which one is another's word: N S classes, N S symbols,
    symbols classes. `much`, N S 1, is how far the other is to be heard; how sure it is that it is one of them
    stays.
    """
    own = F.linear(text, of)  # N S symbols
    any_of_them = own.logsumexp(2, keepdim=True)
    both = ((own - any_of_them + other.log_softmax(2)) / 2).log_softmax(2) + any_of_them
    sure = F.linear(text.softmax(2), of).sum(2, keepdim=True)  # that it is one
    said = own + sure * much * (both - own)
    said = said + any_of_them - said.logsumexp(2, keepdim=True)
    return text + (said - own) @ of


def pooled(x: Tensor) -> Tensor:
    """N C H W -> N 2C: means and greatest."""
    return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
