"""Make a branch of an ONNX graph: what only one side of a choice needs is computed only when it is chosen.

torch exports `where(whether, a, b)` with one truth for the whole batch as a `Where`, both of whose sides are
always computed. Here it becomes an `If`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def branched(onnx: Any, graph: Any) -> None:
    """Turn every choice of a graph into a branch, in place."""
    choices = [node for node in graph.node if node.op_type == "Where" and scalar(graph, node.input[0])]
    for choice in choices:
        branch(onnx, graph, choice)


def scalar(graph: Any, name: str) -> bool:
    """Whether a value of the graph is known to be a single one."""
    return any(
        info.name == name and info.type.tensor_type.HasField("shape") and not info.type.tensor_type.shape.dim
        for info in graph.value_info
    )


def branch(onnx: Any, graph: Any, choice: Any) -> None:
    whether, chosen, otherwise = choice.input
    inside = needed_by(graph, chosen, choice)
    held = {name for node in inside for name in node.input}
    outside = [node for node in graph.node if node not in inside and node is not choice]
    elsewhere = {name for node in outside for name in node.input} | {one.name for one in graph.output}
    weights = [one for one in graph.initializer if one.name in held and one.name not in elsewhere]
    make = onnx.helper
    free = make.make_tensor_value_info  # of a shape that is not told
    kind = onnx.TensorProto.FLOAT
    then = make.make_graph(inside, "chosen", [], [free(chosen, kind, None)], weights)
    name = f"{choice.output[0]}_otherwise"
    same = make.make_node("Identity", [otherwise], [name])
    other = make.make_graph([same], "otherwise", [], [free(name, kind, None)])
    made = make.make_node("If", [whether], list(choice.output), then_branch=then, else_branch=other)
    steps = [made if node is choice else node for node in graph.node if node not in inside]
    kept = [one for one in graph.initializer if one.name not in {weight.name for weight in weights}]
    for part, values in ((graph.node, steps), (graph.initializer, kept)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        del part[:]
        part.extend(copies)


def needed_by(graph: Any, name: str, choice: Any) -> list[Any]:
    """The steps, in order, whose results lead nowhere but to this value of the choice."""
    wanted = {name}
    found: list[Any] = []
    users = uses(graph.node)
    outputs = {one.name for one in graph.output}
    for node in reversed(graph.node):
        reach = [value for value in node.output if value]
        led = all(
            (user is choice and value == name) or any(user is one for one in found)
            for value in reach
            for user in users.get(value, ())
        )
        if node is not choice and led and wanted.intersection(reach) and not outputs.intersection(reach):
            found.append(node)
            wanted.update(node.input)
    return found[::-1]


def uses(nodes: Iterable[Any]) -> dict[str, list[Any]]:
    """Who takes each value."""
    users: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)
    return users
