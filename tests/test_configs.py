"""Every shipped configuration composes, and every command of the README is one that its app accepts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf

from synth.app import opened

ROOT = Path(__file__).resolve().parents[1]
APPS = sorted(path.stem for path in (ROOT / "conf").glob("*.yaml"))
CONFIG_OF = {  # module -> primary configuration, where the names differ
    "gan.train": "train_gan",
    "recognizer.train": "train_recognizer",
}
MISSING = {"out": "out=x", "path": "path=x", "images": "images=x", "source.path": "source.path=x"}
COMMAND = re.compile(r"^(?:\.venv/bin/)?python -m ((?:synth|gan|recognizer)\.\w+)(.*)$")


def commands() -> list[str]:
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    blocks = [
        block for path in texts for block in re.findall(r"```bash\n(.*?)```", path.read_text(), re.DOTALL)
    ]
    return [line.strip() for block in blocks for line in block.splitlines() if COMMAND.match(line.strip())]


def composed(app: str, overrides: list[str]) -> DictConfig:
    with initialize_config_module("conf", version_base="1.3"):
        return compose(app, overrides=overrides)


@pytest.mark.parametrize("app", APPS)
def test_the_app_composes(app: str) -> None:
    config = composed(app, [])
    for key, override in MISSING.items():
        if OmegaConf.select(config, key, throw_on_missing=False) is None:
            continue
        config = OmegaConf.merge(config, OmegaConf.from_dotlist([override]))  # type: ignore[assignment]
    assert isinstance(config, DictConfig)


@pytest.mark.parametrize("group", sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir()))
def test_every_choice_of_a_group_composes(group: str) -> None:
    choices = sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))
    for app in APPS:
        defaults = OmegaConf.load(ROOT / "conf" / f"{app}.yaml").get("defaults", [])
        if any(isinstance(entry, DictConfig) and group in entry for entry in defaults):
            for choice in choices:
                composed(app, [f"{group}={choice}"])


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_readme_compose(line: str) -> None:
    match = COMMAND.match(line.split(" #", maxsplit=1)[0].split("     ", maxsplit=1)[0])
    assert match is not None
    module, words = match.group(1), shlex.split(match.group(2))
    app = CONFIG_OF.get(module, module.split(".")[1])
    assert app in APPS, f"{module} has no configuration"
    overrides = [word for word in words if not word.startswith(("-", "hydra/")) and "range(" not in word]
    composed(app, opened(overrides, app))  # as the app itself opens mappings


def test_the_readme_has_commands() -> None:
    assert len(commands()) > 8
