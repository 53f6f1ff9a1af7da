"""A page to try plates on: choose type and text, see every stage side by side, drop a crop to have it read.

python -m recognizer.demo port=7860
python -m recognizer.demo crops=my_plates/

Needs the extra `demo`. The panel of `spg` writes on labelled crops, which `crops` names.
"""

from __future__ import annotations

from omegaconf import DictConfig

from synth.app import command, need_positive
from synth.errors import UserError, extra

FIRST = "cn/blue"  # the type that the page opens with


@command("demo")
def main(config: DictConfig) -> None:
    """Serve the demo page until it is stopped."""
    need_positive(config, "port", "height_px")
    try:
        from recognizer.page import page
    except ImportError as error:
        raise UserError(f"the page needs {error.name}; {extra('demo')}") from error
    from recognizer.panels import Wish, any_text
    from recognizer.reader import Reader

    own = {"height_px": config.height_px, "pix2pix": config.pix2pix, "crops": config.crops}
    first = Wish(FIRST, any_text(FIRST, 0), **own)
    blocks = page(Reader.from_pretrained(config.weights), first)
    try:
        blocks.launch(server_name=config.host, server_port=config.port, quiet=True, prevent_thread_lock=True)
    except (OSError, OverflowError) as error:
        raise UserError(f"port: {config.port}: {error}; choose another port=") from error
    print(f"http://{config.host}:{config.port}  (Ctrl-C stops it)", flush=True)
    blocks.block_thread()


if __name__ == "__main__":
    main()
