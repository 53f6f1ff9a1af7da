"""How well does an editor edit? On rendered pairs, whose truth is known, and on real crops it never saw.

    python -m gan.evaluate_edit weights=runs/spg/weights.safetensors source.path=my_plates/
    python -m gan.evaluate_edit weights=runs/spg/weights.safetensors phase1=runs/spg/phase1.safetensors

The protocol. Rendered: `pairs` lessons from a random stream that training has not; PSNR and SSIM where the
characters of either text are, and two pixels around them; overlap of the mask of the new characters with the
true one. Beside the editor: the new text pasted in the mean colours of the plate, and pix2pix in the style
its encoder finds in the source. Real: a fifth of the texts is held out from training by a hash; each of these
crops is given `draws` random legal texts. An outside reader reads them; `old_text` is the share in which it
still reads the old one, or all but one of its characters; `trace` how deep the old characters show on the
new ground, in shares of their contrast (pix2pix, which never saw them, says what comes by chance). FID and
KID on features of the outside reader, against the held-out crops; and once more with each crop given the
text of another: then both sets show the same texts, and what is left is how real they look, not that few of
the crops' provinces are drawn at random. The style probe (`gan.spg.probe`) compares an edit with its crop;
two rendered plates of one capture say how far plates of one style are apart, two crops at random how far
styles are. On the ground free of both texts the two pictures are compared again, since blurred characters
tint what is around them. Speed is of one core.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.chart import png


def table(report: dict[str, Any]) -> str:
    """For a terminal."""
    lines = ["| rendered pairs | PSNR | SSIM | mask IoU |", "|---|---|---|---|"]
    for name, row in report["rendered"].items():
        masks = f"{row['mask_iou']:.3f}" if "mask_iou" in row else ""
        lines.append(f"| {name} | {row['psnr']:.2f} dB | {row['ssim']:.3f} | {masks} |")
    if "crops" not in report:
        return "\n".join(lines)
    head = (
        "| real crops | exact | characters | old text | trace | FID | 1000 KID | +- | texts exchanged | +- |"
    )
    lines += ["", head, "|" + "---|" * 10]
    for name, row in report["crops"].items():
        read = [
            f"{row[key]:.1%}" if key in row else "" for key in ("exact", "characters", "old_text", "trace")
        ]
        far = (
            [f"{row['fid']:.2f}", *(f"{1000 * row[k]:.3f}" for k in ("kid", "kid_deviation"))]
            if "fid" in row
            else [""] * 3
        )
        swapped = report.get("exchanged", {}).get(name, {})
        near = [f"{1000 * swapped[k]:.3f}" if swapped else "" for k in ("kid", "kid_deviation")]
        lines.append("| " + " | ".join([name, *read, *far, *near]) + " |")
    lines += [
        "",
        "| style | edits | one style | two crops | within | free ground | within |",
        "|" + "---|" * 7,
    ]
    for name, row in report["style"].items():
        numbers = [f"{row[key]:.2f}" for key in ("edits", "one_style", "two_crops")]
        free = [f"{row['beside']:.2f}", f"{row['beside_within']:.1%}"] if "beside" in row else ["", ""]
        lines.append("| " + " | ".join([name, *numbers, f"{row['within']:.1%}", *free]) + " |")
    return "\n".join([*lines, "", f"{report['plates_per_second']:.0f} plates a second on one core"])


@command("evaluate_edit")
def main(config: DictConfig) -> None:
    """Judge an editor."""
    need_positive(config, "pairs", "draws", "shown")
    from gan.spg.protocol import evaluated

    report, picture = evaluated(config)
    print(table(report))
    out = Path(config.out)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "metrics.json", (json.dumps(report, indent=1) + "\n").encode())
        if picture is not None:
            write_atomic(out / "sheet.png", png(picture))


if __name__ == "__main__":
    main()
