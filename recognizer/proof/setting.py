"""What a benchmark is made of, from its configuration; mistakes are told before hours of work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gan.spg.editor import weights_file
from recognizer.proof.cache import VERSION, digest
from recognizer.proof.grid import Kind, Plan, overrides_of
from recognizer.proof.recipe import composed, digest_of, reason_against
from recognizer.proof.run import Bench
from recognizer.proof.scarcity import Scarcity, parted
from recognizer.proof.sets import PlateSet, real_set, synthetic_set, training_texts
from synth.app import need_positive
from synth.dataset.atomic import write_atomic
from synth.dataset.optional import need
from synth.errors import UserError, nearest


def check(config: DictConfig) -> None:
    """Mistakes that would come to light hours later."""
    need("matplotlib", "benchmark")
    need_positive(config, "images")
    need_positive(config, "jobs")
    need_positive(config.synthetic, "count")
    need_positive(config.styles, "count")
    recipes_of(config)
    named = {f"seeds_of.{name}": seeds for name, seeds in config.seeds_of.items()}
    for key, value in ({key: config[key] for key in ("kinds", "recognizers", "seeds")} | named).items():
        if not value:
            raise UserError(f"{key}: empty; name at least one")
    if absent := [name for name in config.taught if name not in config.tests]:
        raise UserError(f"taught: {absent[0]!r} is not among tests; give tests.{absent[0]}=FOLDER")
    for name in (*config.recognizers, *config.seeds_of):
        composed([f"recognizer={name}"])
    for recognizer, seeds in seeds_of(config).items():
        if len(set(seeds)) < len(seeds):
            raise UserError(f"seeds: {seeds} of {recognizer}: one is there twice; leave it out")
    for key, value in (("baseline", config.baseline), ("scarcity.kind", config.scarcity.kind)):
        if value not in config.recipes:
            raise UserError(f"{key}: {value!r} is no kind; {nearest(value, list(config.recipes))}")
    if config.scarcity.path is not None:
        composed([f"recognizer={config.scarcity.recognizer}"])
        need_positive(config.scarcity, "held_out")
        check_scarcity(scarcity_of(config))


def check_scarcity(settings: Scarcity) -> None:
    """What would end the curve after the grid, or train a point of it twice at once."""
    if not settings.crops or any(not isinstance(count, int) or count < 0 for count in settings.crops):
        raise UserError(
            f"scarcity.crops: {settings.crops}: give numbers of real crops, such as [0, 50], none below 0"
        )
    if not settings.seeds:
        raise UserError("scarcity.seeds: empty; name at least one")
    for key, values in (("crops", settings.crops), ("seeds", settings.seeds)):
        if len(set(values)) < len(values):
            raise UserError(f"scarcity.{key}: {values}: one is there twice; leave it out")
    if not 0 < settings.share < 1:
        raise UserError(f"scarcity.share: {settings.share}: give a share between 0 and 1")
    parted(settings, ())


@dataclass(frozen=True)
class Setting:
    """The benchmark of a configuration, with what can be made and what cannot."""

    bench: Bench
    plan: Plan
    kinds: dict[str, Kind]  # those that can be made
    missing: dict[str, str]  # the others, and why
    sets: tuple[PlateSet, ...]
    seen: frozenset[str]  # texts of all synthetic trainings
    reference: str  # the synthetic set of outside readers

    @property
    def shown(self) -> list[PlateSet]:
        """The sets that decide: real ones, or the reference where none is given."""
        return [one for one in self.sets if one.real] or [s for s in self.sets if s.name == self.reference]


def plan_of(config: DictConfig) -> Plan:
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return Plan(plain["images"], plain["plates"], plain["curriculum"], plain["train"])


def recipes_of(config: DictConfig) -> dict[str, Kind]:
    """The kinds of data that the configuration asks for."""
    described: Any = OmegaConf.to_container(config.recipes, resolve=True)
    if unknown := [name for name in config.kinds if name not in described]:
        raise UserError(f"kinds: {unknown[0]!r} is no kind; {nearest(unknown[0], described)}")
    return {name: described[name] for name in config.kinds}


def with_styles(config: DictConfig, plan: Plan) -> DictConfig:
    """Configuration with crops that the editor writes on; where none are given, the generator's plates."""
    wanted = "spg" in config.kinds and config.weights.spg_styles is None
    if not (wanted and weights_file(config.weights.spg).is_file()):
        return config
    kind: Any = OmegaConf.to_container(config.recipes.pix2pix, resolve=True)
    words = (*overrides_of(kind, "plates", config.styles.seed, plan), "capture.size=null")
    if reason_against(words):
        return config  # the editor will say what it lacks
    folder = Path(config.out) / "sets" / f"styles.{digest([digest_of(words), config.styles.count])}"
    synthetic_set("styles", composed(words), config.styles.count, (), folder)
    return cast(DictConfig, OmegaConf.merge(config, {"weights": {"spg_styles": str(folder.resolve())}}))


def seeds_of(config: DictConfig) -> dict[str, list[int]]:
    """The seeds of each recognizer's trainings."""
    return {name: list(config.seeds_of.get(name, config.seeds)) for name in config.recognizers}


def kinds_of(config: DictConfig, plan: Plan) -> tuple[dict[str, Kind], dict[str, str]]:
    """The kinds of data that can be made, and why the others cannot."""
    every = recipes_of(config)
    reasons = {name: reason_against(overrides_of(kind, "plates", 0, plan)) for name, kind in every.items()}
    missing = {f"data {name}": f"not available: {reason}" for name, reason in reasons.items() if reason}
    kinds = {name: kind for name, kind in every.items() if not reasons[name]}
    if not kinds:
        raise UserError(f"kinds: none of them can be made; {'; '.join(missing.values())}")
    return kinds, missing


def texts_seen(kinds: Mapping[str, Kind], plan: Plan, seeds: Sequence[int], folder: Path) -> frozenset[str]:
    """Every text that a synthetic training shows, kept in a file: counting them takes minutes."""
    seen: set[str] = set()
    for kind in kinds.values():
        for seed in sorted(set(seeds)):
            config = composed(overrides_of(kind, "plates", seed, plan))
            deciding = [OmegaConf.to_container(config[key], resolve=True) for key in ("plates", "balance")]
            key = digest([VERSION, *deciding, config.texts, seed, config.images, config.batch])
            path = folder / "texts" / f"{key}.txt"
            if not path.exists():
                write_atomic(path, "\n".join(sorted(set(training_texts(config)))) + "\n")
            seen.update(path.read_text("utf-8").split())
    return frozenset(seen)


def sets_of(
    config: DictConfig, real: Sequence[PlateSet], kinds: Mapping[str, Kind], plan: Plan, seen: frozenset[str]
) -> Iterator[PlateSet]:
    """Real sets without texts of the trainings, their untaught parts, then fresh plates of each kind."""
    for every in real:
        found = every.without(seen)
        if not found.items:
            raise UserError(f"tests.{every.name}: no plate in it whose text no training saw")
        yield found
        if every.name in config.taught and found.untaught().items:
            yield found.untaught()
    for name, kind in kinds.items():
        words = (*overrides_of(kind, "plates", config.synthetic.seed, plan), "capture.size=null")
        made = composed(words)
        key = digest([digest_of(words), config.synthetic.count, sorted(seen)])
        folder = Path(config.out) / "sets" / f"synthetic-{name}.{key}"
        yield synthetic_set(f"synthetic-{name}", made, config.synthetic.count, seen, folder)


def setting_of(config: DictConfig) -> Setting:
    plan = plan_of(config)
    real = [real_set(str(name), folder) for name, folder in config.tests.items()]  # may be refused
    kinds, missing = kinds_of(with_styles(config, plan), plan)
    out = Path(config.out)
    trained = {seed for seeds in seeds_of(config).values() for seed in seeds}
    seen = texts_seen(kinds, plan, [*config.seeds, *config.scarcity.seeds, *trained], out)
    sets = tuple(sets_of(config, real, kinds, plan, seen))
    for name in {f"{taught}-held_out" for taught in config.taught} - {one.name for one in sets}:
        missing[f"set {name}"] = "not available: generators hold out none of its texts"
    wanted = config.synthetic.reference
    reference = f"synthetic-{wanted if wanted in kinds else next(iter(kinds))}"
    return Setting(Bench(out), plan, kinds, missing, sets, seen, reference)


def scarcity_of(config: DictConfig) -> Scarcity:
    plain: Any = OmegaConf.to_container(config.scarcity, resolve=True)
    return Scarcity(**plain)
