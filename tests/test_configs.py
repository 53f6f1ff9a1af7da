"""Every shipped configuration composes, and every command of the README is one that its app accepts."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf, open_dict

from synth.app import check_kinds, opened

ROOT = Path(__file__).resolve().parents[1]
APPS = sorted(path.stem for path in (ROOT / "conf").glob("*.yaml"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
MISSING = {"out": "out=x", "path": "path=x", "images": "images=x", "source.path": "source.path=x"}
COMMAND = re.compile(r"^(?:\.venv/bin/)?python -m ((?:synth|gan|recognizer)\.\w+)(.*)$")


def commands() -> list[str]:
    blocks = [
        block for path in PAGES for block in re.findall(r"```bash\n(.*?)```", path.read_text(), re.DOTALL)
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


def config_of(module: str) -> str:
    """The primary configuration that the module's own `@command` names."""
    source = ROOT / (module.replace(".", "/") + ".py")
    assert source.is_file(), f"there is no module {module}"
    named = re.search(r'^@command\("(\w+)"\)\ndef main\(', source.read_text("utf-8"), re.MULTILINE)
    assert named, f"{module} is no command"
    return named.group(1)


def words_of(line: str) -> tuple[str, list[str]]:
    """(module, overrides) of a command in the documentation; a sweep stands for its first value."""
    match = COMMAND.match(line.split(" #", maxsplit=1)[0].split("     ", maxsplit=1)[0])
    assert match is not None
    words = [word for word in shlex.split(match.group(2)) if not word.startswith("-")]
    return match.group(1), [re.sub(r"=range\(\d+\)$", "=0", word) for word in words]


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_readme_compose(line: str) -> None:
    module, words = words_of(line)
    if any(word.startswith("hydra/launcher=submitit") for word in words):
        pytest.importorskip(
            "hydra_plugins.hydra_submitit_launcher", reason="the extra slurm is not installed"
        )
    app = config_of(module)
    assert app in APPS, f"{module} has no configuration"
    with initialize_config_module("conf", version_base="1.3"):
        config = compose(app, overrides=opened(words, app), return_hydra_config=True)
    with open_dict(config):
        del config["hydra"]
    missing = OmegaConf.missing_keys(config)
    assert not missing, f"{line}: {missing} must be given"
    check_kinds(config, app)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_every_script_is_a_command(script: str) -> None:
    module, _, function = SCRIPTS[script].partition(":")
    assert config_of(module) in APPS and function == "main"
    assert script.startswith("plate-")


def test_scripts_named_in_the_documentation_exist() -> None:
    texts = "".join(path.read_text("utf-8") for path in PAGES)
    named = set(re.findall(r"(?<![\w/-])plate-(?!as-)[a-z]+(?:-[a-z]+)*", texts))
    assert named <= set(SCRIPTS), named - set(SCRIPTS)


def test_the_readme_has_commands() -> None:
    assert len(commands()) > 8


def outputs() -> set[str]:
    """Where commands of the documentation and of `--help` write, relative to where they are run."""
    heads = [(ROOT / "conf" / f"{app}.yaml").read_text("utf-8").split("\n")[0][2:] for app in APPS]
    found = {str(OmegaConf.load(ROOT / "conf" / f"{app}.yaml").get("out") or "") for app in APPS}
    for line in [*commands(), *filter(COMMAND.match, heads)]:
        found |= {word.removeprefix("out=") for word in words_of(line)[1] if word.startswith("out=")}
    return {out for out in found if out and out != "???" and not out.startswith("/")}


def test_what_documented_commands_write_is_ignored_by_git() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    asked = [out if Path(out).suffix else f"{out.rstrip('/')}/file" for out in sorted(outputs())]
    said = subprocess.run(
        ["git", "check-ignore", "--no-index", *asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert set(asked) == set(said.stdout.split())
    tracked = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""
