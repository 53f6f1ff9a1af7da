"""How real does a generator draw? Judged on crops whose texts it never saw, beside the camera model.

    python -m gan.evaluate source.path=my_plates/ out=evaluation_gan/
    python -m gan.evaluate weights=runs/gan/weights.safetensors source.path=my_plates/

The protocol. A fifth of the texts is held out from training by a hash. These texts are drawn again `draws`
times by the generator and by the camera (`capture`), at the size of the crops. Captures are coded once, as
the crops were; drawings are not, since they were learnt from coded crops and a second coding shows.
FID and KID compare each set with the held-out crops on features of an outside reader (`gan.features`); the
training crops are compared too, as what real crops reach. A small classifier learns real from synthetic on
one half of the texts and is judged on the other. The outside reader reads new plates of each one-row type,
and the held-out crops. Diversity is the mean distance between pictures of one outline in several styles,
against that between real crops. The training crop nearest to each picture is shown beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from synth.app import command, need_positive
from synth.dataset.atomic import disk_errors, write_atomic
from synth.dataset.chart import png
from synth.dataset.sheet import write_sheet
from synth.targets import made


def table(report: dict[str, Any]) -> str:
    """For a terminal."""
    lines = ["| against held-out crops | FID | 1000 KID | +- | real-or-synthetic |", "|---|---|---|---|---|"]
    for name, row in report["likeness"].items():
        told = f"{row['classifier']:.1%}" if "classifier" in row else ""
        kids = f"{1000 * row['kid']:.3f} | {1000 * row['kid_deviation']:.3f}"
        lines.append(f"| {name} | {row['fid']:.2f} | {kids} | {told} |")
    lines += ["", "| outside reader | exact | characters |", "|---|---|---|"]
    for name, row in {**report["legibility"], "real held-out crops": report["real_legibility"]}.items():
        lines.append(f"| {name} | {row['exact']:.1%} | {row['characters']:.1%} |")
    one, real = report["diversity"]["one_outline"], report["diversity"]["real_crops"]
    ssim, near = report["ssim"], report["nearest_training_crop"]
    lines += [
        "",
        f"diversity: {one:.1f} grey levels between pictures of one outline, {real:.1f} between real crops "
        f"({one / real:.2f})",
        f"SSIM with held-out crops: {ssim['own_style']:.3f} in their own style, "
        f"{ssim['other_style']:.3f} in another's",
        f"nearest training crop: {near['ours']:.1f} grey levels from ours, {near['held_out']:.1f} from "
        "held-out crops",
    ]
    return "\n".join(lines)


@command("evaluate_gan")
def main(config: DictConfig) -> None:
    """Judge a generator on crops it never saw."""
    from gan.protocol import by_type, evaluated

    need_positive(config, "height_px", "draws", "outlines", "styles", "judged")
    stage: Any = made_stage(config, "drawn.pix2pix")
    camera: Any = made_stage(config, "capture")
    report, sheets = evaluated(config, stage, camera)
    print(table(report))
    out = Path(config.out)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "metrics.json", (json.dumps(report, indent=1) + "\n").encode())
        for name, sheet in sheets.items():
            write_atomic(out / name, png(sheet))
        write_sheet(out / "types.png", by_type(stage, config))


def made_stage(config: DictConfig, key: str) -> Any:
    return made(OmegaConf.to_container(OmegaConf.select(config, key), resolve=True), key)


if __name__ == "__main__":
    main()
