"""Close looks at what is hard to read: the first symbol (province, office), the kana, the small class.

Where they stand is known once the plate is found and its type guessed, so nothing has to search for them:
their cells are cut out, made flat, and read by small networks of their own: one for first symbol and kana,
one for the class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recognizer.networks.blocks import Convolution, standardised
from recognizer.networks.finder import cut

CELL = (24, 32)  # rows and columns of it; offices of several characters are wide
GROWN = 0.15  # of its width and height, on every side: corners are not found exactly
WIDTHS = (16, 32, 48, 64)
CLASS_WIDTHS = (12, 24, 32, 48)  # digits and letters are easier
MOST = 3  # symbols of a class

NOWHERE = (0.0, 0.0, 0.0, 0.0)
LEAST = 1e-6  # of each type: some box is looked at where no likely type has one

# Of one symbol, for each type: left, top, right, bottom in shares of the plate; nothing if it shows none.
Places = Sequence[Sequence[float]]


class Cells(nn.Module):
    """What stands in places that each type has."""

    def __init__(self, places: Sequence[Places]) -> None:
        super().__init__()
        shown = torch.tensor([[bool(box) for box in at] for at in places])
        boxes = torch.tensor([[box or NOWHERE for box in at] for at in places])  # places types 4
        more = GROWN * (boxes[..., 2:] - boxes[..., :2])
        self.register_buffer("boxes", torch.cat([boxes[..., :2] - more, boxes[..., 2:] + more], dim=2), False)
        self.register_buffer("shown", shown, False)

    def cell(self, grey: Tensor, corners: Tensor, sure: Tensor, place: int) -> Tensor:
        """N 1 h w: what is in the box, the mean of those of all types that have one, as sure as they are."""
        boxes, shown = self.boxes[place], self.shown[place]  # type: ignore[index]
        weights = (sure.to(corners.dtype) + LEAST) * shown
        weights = weights / weights.sum(1, keepdim=True)
        left, top, right, bottom = (weights[..., None] * boxes).sum(1).unbind(1)  # each N
        none = torch.zeros_like(left)
        rows = [(right - left, none, left), (none, bottom - top, top), (none, none, none + 1)]
        to_plate = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)  # N 3 3
        return cut(grey, corners, to_plate, CELL)


def body(widths: tuple[int, int, int, int], dropout: float) -> nn.Sequential:
    """N 1 h w -> N features, 24 times the last width."""
    a, b, c, d = widths
    return nn.Sequential(
        Convolution(1, a),
        Convolution(a, b, stride=(2, 2)),  # 12 16
        Convolution(b, c),
        Convolution(c, d, stride=(2, 2)),  # 6 8
        Convolution(d, d, stride=(2, 1)),  # 3 8
        nn.Flatten(),
        nn.Dropout(dropout),
    )


class Close(Cells):
    """Where symbols stand on all types -> their scores."""

    def __init__(self, places: Sequence[Places], classes: int, dropout: float) -> None:
        super().__init__(places)
        self.body = body(WIDTHS, dropout)
        self.classes = nn.Sequential(
            nn.Linear(WIDTHS[-1] * 24, 128),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(128, classes),
        )

    def forward(
        self, grey: Tensor, corners: Tensor, sure: Tensor, places: Sequence[int] | None = None
    ) -> Tensor:
        """N 1 H W, N 4 2 in shares of it, N types that add up to 1 -> N places classes, of some places."""
        every = range(len(self.boxes))  # type: ignore[arg-type]
        cells = [self.cell(grey, corners, sure, place) for place in (every if places is None else places)]
        scores: Tensor = self.classes(self.body(standardised(torch.cat(cells))))
        return scores.unflatten(0, (len(cells), -1)).transpose(0, 1)


class ClassLook(Cells):
    """Where the class stands on all types -> scores of its digits and letters, side by side."""

    def __init__(self, places: Places, symbols: int, dropout: float) -> None:
        super().__init__([places])
        self.body = body(CLASS_WIDTHS, dropout)
        self.symbols = nn.Sequential(
            nn.Linear(CLASS_WIDTHS[-1] * 24, 32), nn.ReLU(inplace=True), nn.Linear(32, MOST * (symbols + 1))
        )

    def forward(self, grey: Tensor, corners: Tensor, sure: Tensor) -> Tensor:
        """As `Close`, but N MOST symbols+1: the last one says that the class has ended."""
        scores: Tensor = self.symbols(self.body(standardised(self.cell(grey, corners, sure, 0))))
        return scores.unflatten(1, (MOST, -1))

    def there(self, sure: Tensor) -> Tensor:
        """N: how sure it is that the plate has a class at all."""
        return (sure * self.shown[0]).sum(1)  # type: ignore[index]
