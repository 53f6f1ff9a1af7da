"""Every picture says that it is synthetic, in a JPEG comment (ITU-T T.81, B.2.4.5): no pixel changes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SIGN = b"Synthetic licence plate"
COMMENT = SIGN.decode() + " made by Platesmith: not a photograph, the number is drawn at random."
EDITED = SIGN.decode() + " made by Platesmith: a number drawn at random, put on a picture that was given."
EDITING = "spg"  # the stage that begins with pictures of the user's, which may be photographs

SOI, APP0, COM, SOS, EOI = 0xD8, 0xE0, 0xFE, 0xDA, 0xD9


def mark_synthetic(jpeg: bytes, comment: str = COMMENT) -> bytes:
    """The same JPEG with a comment segment, after the JFIF header where there is one."""
    if jpeg[:2] != bytes((0xFF, SOI)):
        raise ValueError("not a JPEG")
    if SIGN in jpeg[:4096] and is_marked(jpeg):
        return jpeg
    text = comment.encode()
    if not text.startswith(SIGN):
        text = SIGN + b". " + text
    segment = struct.pack(">BBH", 0xFF, COM, len(text) + 2) + text
    at = 2
    if jpeg[2:4] == bytes((0xFF, APP0)):  # JFIF wants its APP0 directly after SOI
        at += 2 + struct.unpack(">H", jpeg[4:6])[0]
    return jpeg[:at] + segment + jpeg[at:]


def comment_of(stages: Iterable[Mapping[str, Any]]) -> str:
    """What the picture that came out of these stages says of itself."""
    return EDITED if any(stage["name"] == EDITING for stage in stages) else COMMENT


def is_marked(jpeg: bytes) -> bool:
    """Whether a comment of this JPEG says that it is synthetic."""
    return any(code == COM and body.startswith(SIGN) for code, body in segments(jpeg))


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker segments (code, body) between SOI and the first scan."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        code = jpeg[at + 1]
        if code in (SOS, EOI):
            return
        (length,) = struct.unpack(">H", jpeg[at + 2 : at + 4])
        yield code, jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def is_whole(picture: bytes) -> bool:
    """False for a JPEG or PNG that was cut off: decoders draw those with a grey rest and do not complain."""
    tail = picture[-512:]  # some cameras put padding behind the end
    if picture[:2] == b"\xff\xd8":
        return b"\xff\xd9" in tail
    if picture[:4] == b"\x89PNG":
        return b"IEND" in tail
    return True
