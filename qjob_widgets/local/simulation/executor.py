"""The program `executor`, which the `Executor` and the newer primitives of qiskit-ibm-runtime send.

Its job is a quantum program: circuits with arrays of parameter values, some of them drawn at random by a
samplex (a twirl, for instance). What is sampled goes back as arrays; the client makes its results of them.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from qjob_widgets.local.simulation import isa, noise
from qjob_widgets.local.simulation.options import NotOffered, refuse_signals, tell_ignored
from qjob_widgets.local.simulation.simulate import SEED_STEP, grouped, registers, run, understood

VERSION = "v2.0"
_EXACT = 1e-6
"""Quarter turns: angles as near as that to a whole number are meant so; a samplex has single precision."""
_USUAL = {"init_qubits": True, "rep_delay": None, "scheduler_timing": False, "stretch_values": False}
_Arrays = dict[str, Any]


class Executor:
    """A job of the executor.

    Args:
        params: The parameters of schema version 2.0 (`ibm_quantum_schemas.executor.version_2_0`). The seed is
            `options.experimental["seed_simulator"]`, else the `options.simulator.seed_simulator` that newer
            primitives of the client send along for themselves.
        device: What `isa.check` and `noise` need, or None for a backend that takes every circuit.
    """

    _run = staticmethod(run)

    def __init__(self, params: Mapping[str, Any], device: Mapping[str, Any] | None) -> None:
        self._params, self._device = params, device
        self._spans: list[dict[str, Any]] = []

    def results(self) -> Iterator[list[_Arrays]]:
        """Run the job: for each item its arrays by name, in order, as they are finished."""
        from numpy.random import default_rng

        program, shapes = _program(self._params)
        options = self._params["options"]
        refuse_signals(program.meas_level, "meas_level")
        tell_ignored({name for name, usual in _USUAL.items() if options.get(name, usual) != usual})
        if self._device is not None:
            for index, item in enumerate(program.items):
                isa.check(index, item.circuit, self._device)
        circuits = [understood(item.circuit) for item in program.items]
        model = noise.of_device(self._device, circuits)
        seed = _seed(self._params)
        generator = default_rng(seed)
        for group in grouped(range(len(circuits)), lambda index: None):
            began = _now()
            drawn = [_draw(index, program.items[index], shapes[index], generator) for index in group]
            runs = [one for item in drawn for one in item.runs(circuits[item.index])]
            memories = self._run(
                [circuit for circuit, _ in runs], program.shots, seed, model, [to for _, to in runs]
            )
            seed = None if seed is None else seed + SEED_STEP * len(memories)
            self._spans.append({"start": began, "stop": _now(), "parts": [item.part() for item in drawn]})
            left = iter(memories)
            yield [item.arrays(left, program.shots) for item in drawn]

    def text(self, result: _Arrays) -> str:
        """The arrays of one item as JSON text, a `QuantumProgramResultItemModel`."""
        return json.dumps(
            {"results": {name: _tensor(array) for name, array in result.items()}, "metadata": {}}
        )

    def whole(self, texts: Sequence[str]) -> str:
        """The text of a `QuantumProgramResultModel`, of the texts of its items."""
        program = self._params["quantum_program"]
        rest = {
            "schema_version": VERSION,
            "metadata": {"chunk_timing": self._spans},
            "passthrough_data": program.get("passthrough_data"),
            "semantic_role": program.get("semantic_role"),
        }
        return f'{{"data": [{", ".join(texts)}], {json.dumps(rest)[1:]}'


@dataclass(frozen=True)
class _Item:
    """An item whose parameter values are drawn.

    `values` has the item's shape and an axis of parameters; `others` are the arrays that the samplex gives
    beside them, such as which measured bits it has flipped.
    """

    index: int
    circuit: Any
    values: Any
    others: _Arrays

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape[:-1])

    def runs(self, circuit: Any) -> list[tuple[Any, Mapping[Any, Any]]]:
        """What has to be run: `circuit`, as Aer understands this one, with its columns of values."""
        if not circuit.num_parameters:
            return [(circuit, {})] * math.prod(self.shape)
        columns = self.values.reshape(-1, self.values.shape[-1]).T
        return [(circuit, dict(zip(self.circuit.parameters, columns, strict=True)))] if columns.size else []

    def arrays(self, memories: Iterator[list[str]], shots: int) -> _Arrays:
        """The item's result, of the next of `memories`."""
        mine = [next(memories) for _ in range(math.prod(self.shape))]
        return {**self.others, **registers(self.circuit, mine, shots, self.shape)}

    def part(self) -> dict[str, Any]:
        """A `ChunkPart` that says that all of the item was run."""
        size = math.prod(self.shape)
        axes = list(range(len(self.shape)))
        return {"idx_item": self.index, "size": size, "permutation": axes, "element_range": [0, size, 1]}


def _program(params: Mapping[str, Any]) -> tuple[Any, list[tuple[int, ...]]]:
    """The client's `QuantumProgram`, and the shape that is asked of each item.

    Raises:
        NotOffered: If the program is of another schema version, or the client is too old to read it.
        ValueError: If the parameters do not follow the schema.
    """
    if params.get("schema_version") != VERSION:
        raise NotOffered(
            f"schema_version={params.get('schema_version')!r} of the executor is not offered;"
            f" send {VERSION!r}."
        )
    try:
        from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

        converter = QUANTUM_PROGRAM_PARAMS_CONVERTERS[VERSION]
    except (ImportError, KeyError):
        raise NotOffered(
            f"The installed qiskit-ibm-runtime cannot read executor programs of version {VERSION};"
            " install 0.49 or newer where the service runs."
        ) from None
    model = converter.model(**params)
    program, _ = converter.decoder(model)
    return program, [tuple(item.shape) for item in model.quantum_program.items]


def _seed(params: Mapping[str, Any]) -> int | None:
    experimental = params["options"].get("experimental") or {}
    if experimental.get("seed_simulator") is not None:
        return int(experimental["seed_simulator"])
    found: Any = params["quantum_program"].get("passthrough_data")
    for name in ("post_processor", "options", "simulator", "seed_simulator"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return None if found is None else int(found)


def _draw(index: int, item: Any, shape: tuple[int, ...], generator: Any) -> _Item:
    import numpy as np

    if hasattr(item, "samplex"):
        others = _sample(item, generator)
        values = others.pop("parameter_values", np.empty((*item.shape, 0))).astype(float)
    else:
        given = item.circuit_arguments
        whole = np.broadcast_shapes(shape, given.shape[:-1])
        others, values = {}, np.broadcast_to(given, (*whole, given.shape[-1]))
    quarters = values / (np.pi / 2)
    near = np.round(quarters)
    # Aer can take many more qubits where all gates are Clifford gates, and it looks closely.
    return _Item(
        index, item.circuit, np.where(abs(quarters - near) < _EXACT, near * (np.pi / 2), values), others
    )


def _sample(item: Any, generator: Any) -> _Arrays:
    """What an item's samplex gives, of the item's shape.

    Along axes that the item's arguments have, these differ; along the others it draws anew.
    """
    import numpy as np

    shape, arguments = item.shape, item.samplex_arguments
    samplex = item.samplex.finalize()
    sizes = (1,) * (len(shape) - arguments.ndim) + tuple(arguments.shape)
    swept = [axis for axis, size in enumerate(sizes) if size > 1]
    free = [size for axis, size in enumerate(shape) if axis not in swept]
    arrays: _Arrays = {}
    for place in np.ndindex(*(shape[axis] for axis in swept)):
        at = dict(zip(swept, place, strict=True))
        own = tuple(at.get(axis, 0) for axis in range(len(shape) - arguments.ndim, len(shape)))
        drawn = samplex.sample(arguments[own], num_randomizations=math.prod(free), rng=generator)
        for name, values in dict(drawn).items():
            intrinsic = values.shape[1:]
            array = arrays.setdefault(name, np.empty((*shape, *intrinsic), dtype=values.dtype))
            array[tuple(at.get(axis, slice(None)) for axis in range(len(shape)))] = values.reshape(
                *free, *intrinsic
            )
    return arrays


def _tensor(array: Any) -> dict[str, Any]:
    """An array as a `CompressedTensorModel`."""
    import numpy as np

    if array.dtype == bool:
        kind, data = "bool", np.packbits(array, bitorder="little")
    else:
        kind, data = (
            f"{array.dtype.kind}{8 * array.dtype.itemsize}",
            array.astype(array.dtype.newbyteorder("<")),
        )
    packed = base64.b64encode(zlib.compress(data.tobytes(), 1)).decode()
    return {"data": packed, "shape": list(array.shape), "dtype": kind}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
