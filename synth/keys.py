"""What a command line asks for and nothing knows: keys, choices, flags; each told with the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import OmegaConf

from synth.confdata import conf_folder, read_yaml
from synth.errors import UserError, extra, nearest
from synth.help import groups, keys
from synth.targets import TARGET, signature

OPEN = (  # mappings where any name is fine, besides those that are shipped empty
    "stages",
    "*.ways",
    "*.ways.*",
    "*capture.cameras",
    "*.effects",
    "*capture.weights",
    "stages.*.weights",
    "stages.*.only",
    "plates.weights",
    "fields",
    "recipes",
    "recipes.*",
    "train",
)
PLAIN = re.compile(r"[\w./-]+")  # a choice; a sweep has more
TAKES = (  # flags with a word after them
    *("--cfg", "-c", "--package", "-p", "--info", "-i", "--config-path", "-cp"),
    *("--config-name", "-cn", "--config-dir", "-cd", "--experimental-rerun"),
)
FLAGS = (  # Hydra's
    *("--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run", "--multirun"),
    *("--shell-completion", "--config-path", "--config-name", "--config-dir", "--experimental-rerun"),
    *("--info", "-h", "-c", "-p", "-r", "-m", "-sc", "-cp", "-cn", "-cd", "-i"),
)


def check_flags(words: Sequence[str], config_name: str) -> None:
    """Refuse `--count=10` and `--count 10`: keys have no dashes, and argparse would print its whole usage."""
    for place, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if not flag.startswith("-") or flag in FLAGS or not (flag.startswith("--") or equals):
            continue
        following = "".join(words[place + 1 : place + 2])
        if not equals and following and "=" not in following and not following.startswith("-"):
            value = following
        key, known = flag.lstrip("-"), set(own_keys(config_name))
        if key.partition(".")[0] in known:
            raise UserError(f"{flag}: keys have no dashes; write {key}={value or '...'}")
        raise UserError(f"{flag}: no such flag, and keys have no dashes; {nearest(key, {*known, *FLAGS}, 1)}")


def check_equals(words: Sequence[str], config_name: str) -> None:
    """Refuse a word that is neither `key=value` nor a flag nor what a flag takes."""
    before = ""
    for word in words:
        if "=" not in word and not word.startswith(("-", "~")) and before not in TAKES:
            key = nearest(word, own_keys(config_name), 1)
            close = f"; {key}=" if key.startswith("nearest") else "; --help lists the keys"
            raise UserError(f"{word}: not key=value{close}")
        before = word


def check_keys(words: Sequence[str], config_name: str, begun: str = "") -> None:
    """Refuse a key that the command has not and no free mapping may get, of words that begin so."""
    keys = {key_of(word): word.startswith("+") for word in words if word.startswith(begun)}
    keys = {key: adds for key, adds in keys.items() if key and not key.startswith("hydra")}
    tree = composed_tree(words, config_name) if keys else {}
    for key, adds in keys.items() if tree else ():
        if found := unknown(tree, key.split("."), adds):
            place, known = found
            known = {name for name in own_keys(config_name) if name.endswith(f".{place}")} or known
            raise UserError(f"{place}: no such key; {nearest(place.rpartition('.')[2], known, 1)}")


def key_of(word: str) -> str:
    """The key that a word sets, adds or removes; of a group, where it goes; empty when it is no such word."""
    key, equals, _ = word.partition("=")
    if word.startswith("-") or not (equals or key.startswith("~")):
        return ""
    return key.lstrip("+~").rpartition("@")[2]


def unknown(tree: Mapping[str, Any], parts: Sequence[str], adds: bool) -> tuple[str, set[str]] | None:
    """A key up to the part that nothing knows, and the names known there; None where all is well, as it is
    where the word adds a name to a mapping that takes any.
    """
    node: Any = tree
    for depth, part in enumerate(parts):
        if not isinstance(node, Mapping):  # null or a list: whoever uses it checks it
            return None
        if part in node:
            node = node[part]
            continue
        path = ".".join(parts[:depth])
        known = names_known(node, path) if adds else names_known(node, path) or {str(name) for name in node}
        return None if known is None or part in known else (".".join(parts[: depth + 1]), known)
    return None


def names_known(node: Mapping[str, Any], path: str) -> set[str] | None:
    """The names that a mapping has or may have; None where any will do."""
    if not node or any(fnmatch(path, pattern) for pattern in OPEN):
        return None
    known = {str(name) for name in node}
    for choice in (conf_folder() / path).glob("*.yaml") if path else ():  # other choices of a group have more
        known |= {name for name in read_yaml(choice) if name != "defaults"}
    if TARGET not in node:
        return known
    taken = signature(str(node[TARGET]))[1]
    return None if taken is None else known | set(taken)


def composed_tree(words: Sequence[str], config_name: str) -> dict[str, Any]:
    """The configuration with the chosen groups and no other word; empty when that does not compose."""
    known = {group for group, _ in groups(conf_folder() / f"{config_name}.yaml")}
    chosen = [word for word in words if word.partition("=")[0] in known]
    with our_hydra():
        try:
            config = compose(config_name, chosen)
        except HydraException:  # a sweep over groups, each with keys of its own
            return {}
    tree: Any = OmegaConf.to_container(config)
    return dict(tree)


def own_keys(config_name: str) -> Iterator[str]:
    """The names at the top of a command's configuration, its groups and what they need among them."""
    path = conf_folder() / f"{config_name}.yaml"
    yield from (name.rstrip("=") for name, _ in keys(path) if name.endswith("=") and "." in name)
    yield from (str(key) for key in read_yaml(path) if key not in ("defaults", "hydra"))
    yield from (group for group, _ in groups(path))


def check_choices(words: Sequence[str], config_name: str) -> None:
    """Refuse `plates=cn8` and `plates=3`; of the second Hydra makes a traceback."""
    known = {group for group, _ in groups(conf_folder() / f"{config_name}.yaml")}
    for word in words:
        group, _, choice = word.partition("=")
        offered = [path.stem for path in (conf_folder() / group).glob("*.yaml")] if group in known else []
        if offered and choice.startswith("["):  # Hydra would take the last of them
            types = " (types of your own choice: plates.types=[...])" if group == "plates" else ""
            raise UserError(f"{word}: takes one choice, not a list{types}; {', '.join(sorted(offered))}")
        if offered and PLAIN.fullmatch(choice) and choice not in offered:
            raise UserError(no_choice(group, choice, offered))


def unknown_choice(error: MissingConfigException) -> str | None:
    """What to say of a choice that a group has not; None where the error is of another kind."""
    group, _, choice = (error.missing_cfg_file or "").rpartition("/")
    if group == "hydra/launcher" and choice.startswith("submitit"):
        return f"{group}={choice}: hydra-submitit-launcher is not installed; {extra('slurm')}"
    return no_choice(group, choice, error.options) if group and error.options else None


def no_choice(group: str, choice: str, offered: Sequence[str]) -> str:
    close = nearest(choice, offered, 1)
    said = f" ({close})" if close.startswith("nearest") else ""
    return f"{group}={choice}: no such choice; take one of {', '.join(sorted(offered))}{said}"


@contextmanager
def our_hydra() -> Iterator[None]:
    """Hydra with our configuration; there is one a process, and the caller may be a Hydra app."""
    callers, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None
    try:
        with initialize_config_module("conf", version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = callers
