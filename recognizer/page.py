"""The demo page in Gradio: controls, one panel a stage, and a place to drop a crop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from recognizer.panels import STAGES, Panel, Wish, any_text, panel, told
from recognizer.reader import Reader
from synth.catalogue import load_type, type_names
from synth.confdata import conf_folder

Update = tuple[Callable[..., list[Any]], list[Any], list[Any]]  # what draws, from these controls, into these
CONTROLS = (
    "type",
    "text",
    "seed",
    "count",
    "severity",
    "capture",
    "boxes",
)  # of a wish, as on the page
ABOUT = {
    "template": "the clean drawing, in millimetres",
    "capture": "what a modelled camera makes of it",
    "pix2pix": "drawn again in the style of real crops",
    "spg": "the text laid on a real plate",
}
TITLE = """# Platesmith
Synthetic licence plates, from the clean drawing to the camera's picture. None of them is real; they are for
training and testing plate readers."""


def page(reader: Reader, first: Wish) -> gr.Blocks:
    """The whole page, as it is when opened; `launch` serves it."""
    with gr.Blocks(title="Platesmith", analytics_enabled=False) as blocks:
        gr.Markdown(TITLE)
        with gr.Tab("Draw"):
            shown, controls, panels = draw_tab(reader, first)
        with gr.Tab("Read"):
            read_tab(reader)
        blocks.load(shown, controls, panels)
    return blocks


def draw_tab(reader: Reader, first: Wish) -> Update:
    """Controls on top, a panel a stage below; every change draws again."""
    with gr.Row():
        type_ = gr.Dropdown(type_choices(), value=first.type, label="Type", elem_id="type")
        text = gr.Textbox(first.text, label="Text", elem_id="text", max_lines=1)
        chance = gr.Button("Another text", elem_id="chance")
        go = gr.Button("Draw", variant="primary", elem_id="draw")
    with gr.Row():
        seed = gr.Slider(0, 999, first.seed, step=1, label="Seed", elem_id="seed")
        count = gr.Slider(1, 6, first.count, step=1, label="Pictures a stage")
        severity = gr.Slider(
            0, 1, first.severity, step=0.1, label="Severity of the camera", elem_id="severity"
        )
        capture = gr.Dropdown(captures(), value=first.capture, label="Camera")
        boxes = gr.Checkbox(label="Show quads", elem_id="boxes")
    controls: list[Any] = [type_, text, seed, count, severity, capture, boxes]
    panels = [part for stage, column in columns() for part in fill(stage, column)]

    def shown(*values: Any) -> list[Any]:
        wish = replace(first, **dict(zip(CONTROLS, values, strict=True)))
        return [part for stage in STAGES for part in updates(panel(stage, wish, reader))]

    type_.change(any_text, [type_, seed], text, show_progress="hidden").then(shown, controls, panels)
    chance.click(lambda name, n: (n + 1, any_text(name, n + 1)), [type_, seed], [seed, text]).then(
        shown, controls, panels
    )
    gr.on([go.click, text.submit, seed.release, count.release, severity.release], shown, controls, panels)
    gr.on([capture.change, boxes.change], shown, controls, panels)
    return shown, controls, panels


def columns() -> list[tuple[str, gr.Column]]:
    with gr.Row():
        return [(stage, gr.Column(min_width=220)) for stage in STAGES]


def fill(stage: str, column: gr.Column) -> tuple[gr.Image, gr.Markdown]:
    with column:
        gr.Markdown(f"**{stage}**: {ABOUT[stage]}")
        picture = gr.Image(show_label=False, elem_id=f"picture-{stage}", format="png", interactive=False)
        return picture, gr.Markdown(elem_id=f"said-{stage}")


def updates(panel: Panel) -> tuple[Any, Any]:
    """A panel without a picture hides its frame, and says why."""
    return gr.update(value=panel.picture, visible=panel.picture is not None), panel.said


def read_tab(reader: Reader) -> None:
    with gr.Row():
        crop = gr.Image(
            label="Crop of a plate", type="numpy", elem_id="crop", sources=["upload", "clipboard"]
        )
        said = gr.Markdown(told(None, reader), elem_id="reading")
    crop.change(lambda picture: told(picture, reader), crop, said)


def type_choices() -> list[tuple[str, str]]:
    return [(f"{name}  {load_type(name).label}", name) for name in type_names()]


def captures() -> list[str]:
    return sorted(path.stem for path in (conf_folder() / "capture").glob("*.yaml"))
