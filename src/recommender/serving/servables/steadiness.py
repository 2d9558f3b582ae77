"""Which signatures take about as long for any inputs of one size, and may be run as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from recommender.serving.servables.signatures import Signature

# Operations that run others as often as a value says, or code that TensorFlow does not know.
UNSTEADY = {
    *("While", "StatelessWhile", "For", "NextIteration", "RefNextIteration", "MapDefun"),
    *("PyFunc", "PyFuncStateless", "EagerPyFunc"),
}
# Beginnings of operations that change what the next request reads: nobody may run them twice to get ready.
CHANGING = ("Assign", "ResourceScatter", "LookupTableInsert", "LookupTableRemove")


def steady_signatures(graph_def: Any, signatures: Mapping[str, Signature]) -> frozenset[str]:
    """The names of those that need none of these, in functions neither.

    That is no loop, no data set, no Python function, and nothing that changes the model's state.
    """
    nodes = {node.name: node for node in graph_def.node}
    functions = {function.signature.name: function for function in graph_def.library.function}
    return frozenset(
        name
        for name, signature in signatures.items()
        if not any(map(_is_unsteady, _needed(signature, nodes, functions)))
    )


def _is_unsteady(node: Any) -> bool:
    return node.op in UNSTEADY or node.op.endswith(("Dataset", "DatasetV2")) or node.op.startswith(CHANGING)


def _needed(signature: Signature, nodes: Mapping[str, Any], functions: Mapping[str, Any]) -> Iterable[Any]:
    """The nodes that the outputs depend on, and all of the functions that these call."""
    names = [info.tensor_name for info in signature.outputs.values()]
    seen: set[str] = set()
    called: set[str] = set()
    while names:
        name = names.pop().removeprefix("^").partition(":")[0]
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        yield nodes[name]
        names.extend(nodes[name].input)
        yield from _of_functions(nodes[name], functions, called)


def _of_functions(node: Any, functions: Mapping[str, Any], called: set[str]) -> Iterable[Any]:
    waiting = [node]
    while waiting:
        for name in _callees(waiting.pop()):
            if name not in called and name in functions:
                called.add(name)
                yield from functions[name].node_def
                waiting.extend(functions[name].node_def)


def _callees(node: Any) -> Iterable[str]:
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        for function in value.list.func:
            yield function.name
