"""How every command starts: Hydra composes the configuration, a user's error ends in one line and exit 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from yaml import YAMLError

from synth import __version__
from synth.api import NUMBER
from synth.confdata import conf_folder, read_yaml
from synth.dataset.atomic import disk_errors
from synth.errors import UserError, extra
from synth.help import help_text, keys
from synth.keys import check_choices, check_equals, check_flags, check_keys, unknown_choice
from synth.targets import TRAIN

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
KINDS |= {list: "a list", dict: "a mapping"}
App = Callable[[DictConfig], int | None]


def command(config_name: str) -> Callable[[App], Callable[[], None]]:
    """Turn `app(config) -> exit code` into a command with the primary config `conf/<config_name>.yaml`."""

    def decorate(app: App) -> Callable[[], None]:
        def task(config: DictConfig) -> None:
            with one_line_errors(config_name):
                check_kinds(config, config_name)
                code = app(config)
            if code:
                sys.exit(code)

        def main() -> None:
            os.environ["HYDRA_FULL_ERROR"] = (
                "1"  # let errors of composition through, so that they become one line
            )
            with one_line_errors(config_name):
                if {"-h", "--help"} & set(sys.argv[1:]):
                    print(help_text(config_name, sys.modules[app.__module__].__doc__ or ""))
                    return
                if "--version" in sys.argv[1:]:
                    print(f"platesmith {__version__}")
                    return
                check_flags(sys.argv[1:], config_name)
                check_equals(sys.argv[1:], config_name)
                check_choices(sys.argv[1:], config_name)
                check_keys(sys.argv[1:], config_name, begun="+")  # Hydra adds any name
                sys.argv[1:] = opened(sys.argv[1:], config_name)
                hydra.main(version_base="1.3", config_path="pkg://conf", config_name=config_name)(task)()

        main.__doc__ = app.__doc__
        return main

    return decorate


@contextmanager
def one_line_errors(config_name: str) -> Iterator[None]:
    """A user's error ends the process with one line on standard error and exit 2, a closed pipe silently."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads our output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UserError as error:
        fail(str(error))
    except ModuleNotFoundError as error:  # a command that needs torch asks for it when it begins to work
        if (missing := (error.name or "").partition(".")[0]) not in TRAIN:
            raise
        fail(f"{missing} is not installed; {extra('train')}")
    except (HydraException, OmegaConfBaseException) as error:
        fail(hydra_said(error, config_name, sys.argv[1:]))
    except KeyboardInterrupt:
        resumes = "resume" in read_yaml(conf_folder() / f"{config_name}.yaml") or config_name == "generate"
        fail("stopped; the same command goes on where it was" if resumes else "stopped")


def hydra_said(error: Exception, config_name: str, words: Sequence[str]) -> str:
    """An error of composition in one line: Hydra's own words only where we have no better ones."""
    if isinstance(error, MissingConfigException) and (said := unknown_choice(error)):
        return said
    if isinstance(error, MissingMandatoryValue):
        key = needed(error.full_key or str(error.key), config_name)
        return f"{key}: must be given; write {key}=..., --help says what it takes"
    try:
        check_keys(words, config_name)
    except UserError as better:
        return str(better)
    return f"conf/{config_name}.yaml: {one_line(error)}"


def needed(key: str, config_name: str) -> str:
    """The key that a user has to give where one that takes its value from there is empty."""
    named = [
        name.rstrip("=")
        for name, comment in keys(conf_folder() / f"{config_name}.yaml")
        if name.endswith("=")
    ]
    same = [name for name in named if name.rpartition(".")[2] == key.rpartition(".")[2]]
    return key if key in named or not same else same[0]


def opened(words: list[str], config_name: str) -> list[str]:
    """The command line as Hydra takes it: `++` before keys of mappings that are shipped empty, where any name
    is fine, and quotes around plain values that are not ASCII (text=皖A12345, out=車/), which it cannot read,
    and around numbers where a text or a path is meant (out=2024).
    """
    shipped = read_yaml(conf_folder() / f"{config_name}.yaml")
    free = tuple(f"{key}." for key, value in shipped.items() if value == {})
    texts = {key for key, value in shipped.items() if isinstance(value, str) and not value.startswith("$")}

    def is_text(key: str) -> bool:
        return key in texts or key.rpartition(".")[2] in PATHS or key.startswith(PATHS_IN)

    as_text = (quoted(word, is_text) for word in words)
    return [f"++{word}" if free and word.startswith(free) else word for word in as_text]


PATHS = ("out", "path", "weights", "start", "texts", "crops", "pix2pix")  # files and folders, named 2024
PATHS_IN = ("watch.", "tests.")


def quoted(word: str, is_text: Callable[[str], bool] = lambda key: False) -> str:
    """A word of the command line whose value Hydra would stumble over, or take for a number where the key
    is one of a text, in quotes.
    """
    key, equals, value = word.partition("=")
    plain = not set(value) & set("'\"[]{}(),\\")
    odd = not value.isascii() or (NUMBER.fullmatch(value) and is_text(key))
    return f"{key}='{value}'" if equals and plain and odd else word


def check_kinds(config: DictConfig, config_name: str) -> None:
    """A number where the shipped configuration has a number: Hydra takes any word for it."""
    plain: Any = OmegaConf.to_container(config, resolve=False)
    for key, default in read_yaml(conf_folder() / f"{config_name}.yaml").items():
        if key in ("defaults", "hydra") or key not in config or OmegaConf.is_missing(config, key):
            continue
        given = plain[key]
        if given is None and default == "???":
            raise UserError(f"{key}: must be given; write {key}=..., --help says what it takes")
        if given is None or type(default) not in KINDS or type(given) is type(default):
            continue
        if str(default).startswith("$") or str(given).startswith("$"):  # taken from another key
            continue
        if not (isinstance(default, float) and type(given) is int):
            raise UserError(f"{key}: {given!r} is not {KINDS[type(default)]}{like(key, default)}")


def like(key: str, default: Any) -> str:
    """The shipped value as an example, where it is a short one."""
    example = f"{key}.NAME=..." if default == {} else f"{key}={default}"
    return f", as in {example}" if default != "???" and len(example) < 80 else ""


def keep_config(config: DictConfig, folder: Path) -> None:
    """Note in the folder, which is made, what it is made by, and which file of each group that was."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        noted = OmegaConf.merge(OmegaConf.create(OmegaConf.to_container(config)), {"groups": groups()})
        OmegaConf.save(noted, folder / "config.yaml", resolve=True)


def groups() -> dict[str, str]:
    """The choices of Hydra: stages -> reader, plates -> all; none outside a command."""
    if not HydraConfig.initialized():
        return {}
    chosen = HydraConfig.get().runtime.choices
    return {str(name): str(choice) for name, choice in chosen.items() if not str(name).startswith("hydra")}


FREE = ("out", "resume", "images", "threads", "workers", "tick", "keep", "watch", "calibration", "hydra")


def need_same(config: DictConfig, folder: Path) -> None:
    """Refuse to go on with a training that was begun with other settings; FREE ones may change."""
    path = folder / "config.yaml"
    if not (config.resume and path.is_file() and (folder / "state.safetensors").is_file()):
        return
    try:
        noted: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
        before = dict(leaves({key: noted[key] for key in noted if key != "groups"}))
        begun = dict(noted.get("groups", {}))
    except (OSError, ValueError, AttributeError, TypeError, YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"{path}: cannot be read ({one_line(error)}); resume=false starts again") from error
    other = changed(before, dict(leaves(OmegaConf.to_container(config, resolve=True))))
    other = other or changed(begun, groups() if begun else {})
    if other is not None:
        key, was, now = other
        raise UserError(
            f"{path}: begun with {key}={was}, not {now}; give another out=, or resume=false to start again"
        )


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """The first key that is not as it was: (key, then, now); one that is new since has its default."""
    for key, was in before.items():
        if key.partition(".")[0] not in FREE and (key not in now or now[key] != was):
            inside = any(name.startswith(f"{key}.") for name in now)
            return key, was, now.get(key, "a mapping" if inside else "without it")
    return None


def leaves(node: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of everything that is no mapping."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, f"{where}.{key}" if where else str(key))
    else:
        yield where, node


def need_positive(config: DictConfig, *keys: str) -> None:
    """These keys are whole numbers above 0."""
    for key in keys:
        if not isinstance(config[key], int) or config[key] < 1:
            raise UserError(f"{key}: {config[key]!r} is not a whole number above 0")


def need_least(config: DictConfig, least: float, *keys: str) -> None:
    """These keys are numbers, none of them below the least."""
    for key in keys:
        if not isinstance(config[key], int | float) or config[key] < least:
            raise UserError(f"{key}: {config[key]!r} is not a number from {least} on")


def one_line(error: Exception) -> str:
    """What Hydra says, without its search path and its indented repetition."""
    dropped = ("full_key:", "object_type=", "reference_type=", "Config search path:", "provider=")
    lines = [line.strip() for line in str(error).splitlines()]
    said = " ".join(line for line in lines if line and not line.startswith(dropped))
    cause = error.__cause__
    if cause is not None and str(cause).splitlines()[:1] and str(cause).splitlines()[0] not in said:
        said += f" ({str(cause).splitlines()[0]})"
    return " ".join(said.split())


def fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
