"""The networks: one interface, small, every weight trained, readings that no neighbour in a batch changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from gan.blocks import folded
from recognizer.checkpoint import Header, build, load, save
from recognizer.data import as_input, fit
from recognizer.networks.lprnet import LPRNet, Pool, scaled
from recognizer.training import header_of
from synth.errors import UserError
from synth.template import Plan, Template

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path.stem for path in (ROOT / "conf" / "recognizer").glob("*.yaml"))
LONGEST = 12  # characters of a Japanese text


@pytest.fixture(params=CONFIGS)
def described(request: pytest.FixtureRequest, composed: Callable[..., DictConfig]) -> Header:
    return header_of(composed(f"recognizer={request.param}"))


def trained_a_little(header: Header) -> nn.Module:
    """A network whose batch-norm statistics are not those of a fresh one."""
    torch.manual_seed(1)
    network = build(header).train()
    with torch.no_grad():
        for _ in range(3):
            network(pictures(header, 16) * 0.7 + 0.2)
    return network.eval()


def pictures(header: Header, count: int) -> Tensor:
    """Clean plates as a network gets them."""
    samples = Template(Plan(("cn/blue", "jp/private")), 48).batch(5, range(count))
    fitted = np.stack([fit(sample.image, header.height, header.width) for sample in samples])
    return as_input(torch.from_numpy(fitted).permute(0, 3, 1, 2).contiguous())


def test_the_rivals_are_there() -> None:
    assert {"plates", "lprnet", "crnn"} <= set(CONFIGS)


def test_shapes_and_size(described: Header) -> None:
    network = build(described).eval()
    with torch.inference_mode():
        text, kind = network(torch.zeros(2, 3, described.height, described.width))
    repeats = 5  # 333 and 8888 in one text each need a blank between two of a kind
    assert text.shape[0] == 2 and text.shape[2] == described.codec.classes
    assert text.shape[1] >= LONGEST + repeats
    assert kind.shape == (2, len(described.types))
    assert bool(torch.isfinite(text).all()) and bool(torch.isfinite(kind).all())  # on an all-grey picture
    assert sum(p.numel() for p in network.parameters()) <= 2_000_000


def test_the_same_at_batch_1_7_and_128(described: Header) -> None:
    network, images = trained_a_little(described), pictures(described, 128)
    with torch.inference_mode():
        whole = network(images)
        for batch in (1, 7):
            for together, apart in zip(whole, in_batches(network, images[:21], batch), strict=True):
                assert float((together[:21] - apart).abs().max()) < 1e-4


def test_folded_reads_the_same(described: Header) -> None:
    network, images = trained_a_little(described).eval(), pictures(described, 8)
    with torch.inference_mode():
        for plain, fast in zip(network(images), folded(network)(images), strict=True):
            assert float((plain - fast).abs().max()) < 2e-3


def in_batches(network: nn.Module, images: Tensor, batch: int) -> list[Tensor]:
    parts = [network(images[start : start + batch]) for start in range(0, len(images), batch)]
    return [torch.cat(column) for column in zip(*parts, strict=True)]


@pytest.mark.parametrize("bfloat16", [False, True])
def test_every_weight_is_trained(described: Header, bfloat16: bool) -> None:
    torch.manual_seed(2)
    network = build(described).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    before = {name: value.clone() for name, value in network.named_buffers()}
    finds = {"apart": True} if getattr(network, "finder", None) is not None else {}
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        text, kind, *corners = network(pictures(described, 8), **finds)
    wanted = [text.float().log_softmax(2)[..., 3], kind.float().log_softmax(1)[:, 0], *corners]
    torch.stack([x.sum() for x in wanted]).sum().backward()
    idle = [
        name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)
    ]
    assert not idle
    constant = ("of_kana", "of_class", "text.between", "finder.usual", "finder.square", "boxes", "shown")
    moving = [name for name in before if not name.endswith(constant)]
    still = [name for name in moving if torch.equal(before[name], dict(network.named_buffers())[name])]
    assert not still  # batch norm follows the data


def test_read_back_from_its_file(described: Header, tmp_path: Path) -> None:
    network, images = trained_a_little(described), pictures(described, 2)
    save(tmp_path / "weights.safetensors", network, described)
    again, header = load(tmp_path / "weights.safetensors")
    assert header == described
    with torch.inference_mode():
        assert torch.equal(network(images)[0], again(images)[0])


def test_what_a_type_shows_speaks_for_a_symbol(composed: Callable[..., DictConfig]) -> None:
    header = header_of(composed("recognizer=plates"))
    network, images = trained_a_little(header), pictures(header, 4)
    letter = header.codec.numbers["B"]  # which no close look is asked about
    with torch.no_grad():
        before, kinds = network(images)
        network.habit[:, 1, letter] = 100.0  # every type shows it in its second slot
        after, _ = network(images)
    assert bool((after[:, 2].argmax(1) == letter).all())  # between two slots stands a blank
    others = [0, *range(3, before.shape[1])]
    assert torch.equal(before[:, others], after[:, others])
    with torch.no_grad():
        network.habit.zero_()
        network.habit[kinds.argmax(1), 1, letter] = 100.0
        named = network(images)[0][:, 2, letter] - before[:, 2, letter]
    sure = kinds.softmax(1)
    assert torch.allclose(named, 100 * sure[:, kinds.argmax(1).unique()].sum(1), rtol=1e-3)


@pytest.mark.parametrize(("channels", "columns"), [(1, 1), (2, 2), (4, 2)])
def test_lprnet_pools_as_the_three_dimensional_pooling(channels: int, columns: int) -> None:
    x = torch.randn(3, 64, 18, 44)
    expected = nn.MaxPool3d((1, 3, 3), stride=(channels, 1, columns))(x)
    assert torch.equal(Pool(channels, columns)(x), expected)


def test_lprnet_has_the_size_of_the_well_known_one() -> None:
    assert 440_000 < sum(p.numel() for p in LPRNet(68, 7).parameters()) < 455_000


def test_lprnet_scales_each_picture_by_itself() -> None:
    x = torch.rand(2, 4, 6, 6) + 0.1
    loud = torch.stack([x[0], 50 * x[1]])
    assert torch.allclose(scaled(loud)[0], scaled(x)[0])
    assert torch.allclose(scaled(x)[0], x[0] / x[0].square().mean(), rtol=1e-3)
    assert bool((scaled(torch.zeros(1, 4, 6, 6)) == 0).all())


def test_lprnet_refuses_another_size(composed: Callable[..., DictConfig]) -> None:
    header = header_of(composed("recognizer=lprnet", "recognizer.height=48"))
    with pytest.raises(Exception, match="24 x 94, not 48 x 94") as caught:
        build(header)
    assert isinstance(caught.value.__cause__ or caught.value, UserError)
