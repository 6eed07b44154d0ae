"""Saved jobs: what comes back is what was saved, and a file that is none of ours is one sentence."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import zipfile
from datetime import datetime, timezone

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit.providers import JobStatus
from qiskit.quantum_info import Statevector
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import RuntimeEncoder

import qjob_widgets as qj
from qjob_widgets.errors import ApiError
from qjob_widgets.jobs.results import storage
from qjob_widgets.jobs.results.archive import Arrays, pack, unpack
from qjob_widgets.monitor.foreign import is_watchable
from qjob_widgets.snapshot import CompositeSnapshot, JobSnapshot, QueueInfo
from qjob_widgets.status import Status
from qjob_widgets.tags import Place
from tests.local_support import sampler_job
from tests.support import NOON, composite

WAIT = 60


def coins(number: int) -> list[QuantumCircuit]:
    circuits = []
    for index in range(number):
        circuit = QuantumCircuit(2, name=f"coin {index}", metadata={"index": index, "pair": (1, 2.5)})
        circuit.h(0)
        circuit.measure_all()
        circuits.append(circuit)
    return circuits


def kept(value: object) -> object:
    """`value` after a journey through a file's two forms."""
    arrays = Arrays()
    text = json.dumps(pack(value, arrays), allow_nan=False)
    return unpack(json.loads(text), Arrays.from_bytes(arrays.to_bytes()))


def saved(snapshot: CompositeSnapshot, found: object = None) -> qj.SavedJob:
    return storage.saved_job(snapshot, found, [], created=NOON, now=NOON)


# ---- whole jobs


def test_a_job_comes_back_without_any_service(tmp_path):
    circuits = coins(6)
    with qj.LocalService() as service:
        backend = service.connect().backend("local_simulator")
        job = backend.run(
            circuits, shots=40, max_circuits_per_job=2, memory=True, job_name="sweep", job_tags=["vqe"]
        )
        result = job.result(timeout=WAIT)
        job.save(tmp_path / "sweep.qjob")
    found = qj.load(tmp_path / "sweep.qjob")

    assert found.snapshot == job.snapshot
    assert (found.job_id(), found.name(), found.tags()) == (job.job_id(), "sweep", ["vqe"])
    assert found.status() is JobStatus.DONE
    assert found.creation_date() == job.creation_date()
    assert found.report() == job.report()
    assert found.error_message() is None
    assert found.circuits() == circuits
    assert found.result().to_dict() == result.to_dict()
    assert found.result().get_memory("coin 5") == result.get_memory("coin 5")
    assert list(tmp_path.iterdir()) == [tmp_path / "sweep.qjob"]


def test_failures_and_attempts_come_back(service, backend, tmp_path):
    service.faults.job(1, status="Failed", reason="bad luck", reason_code=1500)
    service.faults.job(2, status="Failed", reason="twice", times=2)
    job = backend.run(coins(3), max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    job.rerun_failed()
    job.wait_for_final_state(timeout=WAIT)
    job.save(str(tmp_path / "failed"), circuits=False)
    found = qj.load(str(tmp_path / "failed"))

    assert [part.attempt for part in found.snapshot.parts] == [1, 2, 2]
    assert found.snapshot == job.snapshot
    assert [one.why for one in found.attempts(1)] == ["1500 bad luck", ""]
    assert [one.status for one in found.attempts(2)] == [Status.ERROR, Status.ERROR]
    assert found.error_message() == job.error_message()
    with pytest.raises(qj.IBMJobFailureError, match="twice"):
        found.result()
    partial = found.result(partial=True)
    assert [one.success for one in partial.results] == [True, True, False]
    assert partial.to_dict() == job.result(partial=True).to_dict()
    assert found.circuits() == []


def test_a_job_that_has_not_ended_is_saved_as_it_stands(service, backend, tmp_path):
    service.faults.hold("Queued")
    job = backend.run(coins(2), max_circuits_per_job=1)
    job.block_for_submit()
    job.save(tmp_path / "open")
    found = qj.load(tmp_path / "open")
    job.cancel()
    job.wait_for_final_state(timeout=WAIT)
    job.save(tmp_path / "open")

    assert found.status() is JobStatus.QUEUED
    with pytest.raises(qj.IBMJobInvalidStateError, match="had not ended when it was saved"):
        found.result()
    assert found.result(partial=True).results[0].status == "not finished: queued"
    with pytest.raises(ApiError, match="a file saved at 20"):
        found.source.ask([found])
    with pytest.raises(qj.IBMJobInvalidStateError, match="was cancelled"):
        qj.load(tmp_path / "open").result()


def test_a_single_job_comes_back_without_any_service(tmp_path):
    circuits = coins(3)
    with qj.LocalService() as service:
        api = service.connect()
        job = api.backend("local_simulator").run(
            circuits, shots=40, memory=True, job_name="one", job_tags=["vqe"], header={"chip": "A"}
        )
        result = job.result(timeout=WAIT)
        service.clear_requests()
        job.save(tmp_path / "one.qjob")
        asked = list(service.requests)
        copy = api.job(job.job_id())
        copy.save(tmp_path / "copy.qjob")
    found, retrieved = qj.load(tmp_path / "one.qjob"), qj.load(tmp_path / "copy.qjob")

    assert asked == []
    assert found.snapshot == job.snapshot
    assert (found.job_id(), found.name(), found.tags()) == (job.job_id(), "one", ["vqe"])
    assert found.status() is JobStatus.DONE
    assert found.creation_date() == job.creation_date
    assert found.error_message() is None
    assert found.report().startswith("Total jobs: 1\nSuccessful jobs: 1")
    assert [one.job_id for one in found.attempts(0)] == [job.job_id()]
    assert found.circuits() == retrieved.circuits() == circuits
    assert found.result().to_dict() == result.to_dict()
    assert retrieved.result().get_memory("coin 2") == result.get_memory("coin 2")
    panel = qj.JobPanel(found)
    assert panel.summary["counts"]["DONE"] == 1
    panel.close()


def test_a_single_job_that_failed_or_was_cancelled_comes_back(service, backend, tmp_path):
    service.faults.job("*", status="Failed", reason="bad luck", reason_code=1500)
    job = backend.run(coins(2))
    job.wait_for_final_state(timeout=WAIT)
    job.save(tmp_path / "failed", circuits=False)
    failed = qj.load(tmp_path / "failed")
    service.faults.hold("Queued")
    job = backend.run(coins(2))
    job.save(tmp_path / "open")
    job.cancel()
    job.wait_for_final_state(timeout=WAIT)
    job.save(tmp_path / "cancelled")

    assert failed.error_message() == "1500 bad luck"
    assert failed.circuits() == []
    with pytest.raises(qj.RuntimeJobFailureError, match="1500 bad luck"):
        failed.result()
    experiments = failed.result(partial=True).results
    assert [(one.success, one.header["name"]) for one in experiments] == [
        (False, "coin 0"),
        (False, "coin 1"),
    ]
    with pytest.raises(qj.RuntimeInvalidStateError, match="had not ended when it was saved"):
        qj.load(tmp_path / "open").result()
    with pytest.raises(qj.RuntimeInvalidStateError, match="was cancelled"):
        qj.load(tmp_path / "cancelled").result()


def test_a_primitives_job_is_saved_too(service, api, tmp_path):
    body = sampler_job(*coins(2), shots=30)
    job = api.job(api.client.submit(json.dumps(body, cls=RuntimeEncoder).encode(), "a primitive's job"))
    result = job.result(timeout=WAIT)
    job.save(tmp_path / "sampled")
    found = qj.load(tmp_path / "sampled")

    assert found.circuits() == coins(2)
    assert isinstance(found.result(), PrimitiveResult)
    assert [pub.data.meas for pub in found.result()] == [pub.data.meas for pub in result]


def test_what_a_private_job_has_told_is_saved_and_what_is_lost_is_named(service, api, backend, tmp_path):
    job = backend.run(coins(1), shots=10, private=True)
    result = job.result(timeout=WAIT)
    job.save(tmp_path / "told")
    api.job(job.job_id()).save(tmp_path / "lost")
    lost = qj.load(tmp_path / "lost")

    assert qj.load(tmp_path / "told").result().get_counts() == result.get_counts()
    with pytest.raises(qj.RuntimeInvalidStateError, match="a result was not to be had"):
        lost.result()
    assert "only once" in lost.result(partial=True).results[0].status


def test_a_composites_lost_result_is_named_when_it_is_loaded(backend, tmp_path):
    job = backend.run(coins(2), shots=10, private=True, max_circuits_per_job=1)
    job.wait_for_final_state(timeout=WAIT)
    job.sub_jobs()[1].result()
    job.save(tmp_path / "file")

    with pytest.raises(qj.IBMJobInvalidStateError, match="a result was not to be had"):
        qj.load(tmp_path / "file").result()
    assert [one.success for one in qj.load(tmp_path / "file").result(partial=True).results] == [True, False]


def test_circuits_that_cannot_be_saved_can_be_left_out():
    class Odd(Gate):
        def __reduce__(self):
            raise TypeError("not that one")

        @property
        def params(self):
            return [object()]

        @params.setter
        def params(self, values):
            pass

    circuit = QuantumCircuit(1)
    circuit.append(Odd("odd", 1, []), [0])

    with pytest.raises(qj.InvalidInput, match="circuits=False leaves them out"):
        storage.saved_job(composite("D"), None, [circuit], created=NOON, now=NOON)


def test_saving_what_is_known_asks_nothing(service, backend, tmp_path):
    job = backend.run(coins(4), max_circuits_per_job=2)
    job.result(timeout=WAIT)
    service.clear_requests()
    job.save(tmp_path / "known")

    assert service.requests == []


def test_a_panel_and_the_magic_take_a_saved_job(tmp_path):
    storage.save(saved(composite("DDE")), tmp_path / "file")
    found = qj.load(tmp_path / "file")
    panel = qj.JobPanel(found)

    assert is_watchable(found)
    assert panel.summary["counts"]["DONE"] == 2
    assert panel.meta["can"]["cancel"] is False
    assert panel.meta["can"]["rerun"] is False
    panel.close()


def test_every_fact_of_a_part_comes_back(tmp_path):
    whole = JobSnapshot(
        job_id="one",
        status=Status.ERROR,
        word="Failed",
        reason="why",
        reason_code=1500,
        created=NOON,
        running=NOON,
        finished=NOON,
        tags=("a", "b"),
        usage_seconds=1.5,
        backend="local_manila",
        program="sampler",
        session_id="session",
        private=True,
        attempt=3,
        place=Place(0, 1, 0, 9),
        times_seen=True,
        run_mode="fairshare",
    )
    fresh = JobSnapshot("", Status.QUEUED)
    told = {one.name for one in dataclasses.fields(JobSnapshot)} - {"queue"}
    same = {name for name in told if getattr(whole, name) == getattr(fresh, name)}
    more = {name: {"str": "word", "float | None": 2.5}[_type(name)] for name in same}
    whole = dataclasses.replace(whole, **more)
    snapshot = CompositeSnapshot("id", (whole, fresh), "name", ("x",), "local_manila", 0, True)
    storage.save(saved(snapshot), tmp_path / "file")

    assert qj.load(tmp_path / "file").snapshot == snapshot


def _type(name: str) -> str:
    return next(str(one.type) for one in dataclasses.fields(JobSnapshot) if one.name == name)


def test_a_queue_position_is_of_its_moment_and_not_saved(tmp_path):
    snapshot = composite("Q")
    queued = dataclasses.replace(snapshot.parts[0], queue=QueueInfo(3))
    storage.save(saved(dataclasses.replace(snapshot, parts=(queued,))), tmp_path / "file")

    assert qj.load(tmp_path / "file").snapshot == snapshot


# ---- values


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1,
        2**80,
        0.1,
        float("inf"),
        1 + 2j,
        "text \u00e9",
        [1, [2, {"a": None}]],
        (1, (2,)),
        {"$": 1, "b": 2},
        {3: "three", (1, 2): "pair"},
        datetime(2026, 11, 21, 1, 2, 3, 4, timezone.utc),
        np.float64(1.5),
        np.int8(-3),
    ],
)
def test_plain_values_come_back(value):
    found = kept(value)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("kind", ["u1", "i8", "f8", "c16", "?", "S5", "U3", "M8[s]"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_arrays_come_back(kind, shape):
    array = np.arange(6)[: int(np.prod(shape))].reshape(shape).astype(kind)
    found = kept({"first": np.ones(3, dtype=kind), "second": array})["second"]

    assert found.dtype == array.dtype
    assert found.shape == shape
    assert np.array_equal(found, array)


def test_a_sampled_primitive_result_comes_back():
    random = np.random.default_rng(1)
    shots = {name: BitArray(random.integers(0, 8, (2, 10, 1), dtype=np.uint8), 3) for name in ("a", "b")}
    result = PrimitiveResult(
        [SamplerPubResult(DataBin(**shots, shape=(2,)), {"shots": 10})] * 2, {"version": 2, "odd": object}
    )
    found = kept(result)

    assert dict(found[1].data.items()) == shots
    assert isinstance(found[1], SamplerPubResult)
    assert found[1].data.shape == (2,)
    assert found[1].metadata == {"shots": 10}
    assert found.metadata == {"version": 2, "odd": str(object)}


def test_an_estimated_primitive_result_comes_back_without_its_failed_parts():
    data = DataBin(evs=np.array([0.5, -1.0]), stds=np.array([0.1, float("nan")]), shape=(2,))
    found = kept(PrimitiveResult([PubResult(data), PubResult(DataBin(), {"success": False})]))

    assert np.array_equal(found[0].data.evs, data.evs)
    assert np.isnan(found[0].data.stds[1])
    assert found[1].metadata == {"success": False}
    assert len(found[1].data) == 0


def test_what_other_simulators_say_comes_back_or_is_named():
    direct = AerSimulator().run(coins(2), shots=9, memory=True).result()
    assert kept(direct).get_counts() == direct.get_counts()
    assert kept(direct).get_memory(1) == direct.get_memory(1)
    direct.results[0].data.statevector = Statevector([1, 0])
    direct.results[0].data._data_attributes.append("statevector")

    with pytest.raises(qj.InvalidInput, match="of the type Statevector, which cannot be saved"):
        kept(direct)


@pytest.mark.parametrize(
    "counts", [{"0x0": 0.25, "0x1": 0.75}, {}, {"0x0": 2**70}, {"up \u2191": 3}, {"0x0": np.int64(4)}]
)
def test_counts_of_any_backend_come_back_as_they_were(counts):
    data = ExperimentResultData(counts=counts)
    experiment = ExperimentResult(1, True, data, header={"name": "one"})
    found = kept(Result(results=[experiment])).results[0]

    assert found.data.counts == counts


def test_objects_are_no_arrays():
    with pytest.raises(qj.InvalidInput, match="of the type ndarray"):
        kept(np.array([object()]))


# ---- files


def rewritten(path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as file:
        contents = {one: file.read(one) for one in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for one, old in contents.items():
            file.writestr(one, content if one == name else old)


def test_a_file_of_a_newer_version_says_so(tmp_path):
    path = tmp_path / "file"
    storage.save(saved(composite("D")), path)
    facts = json.loads(zipfile.ZipFile(path).read("job.json"))
    rewritten(path, "job.json", json.dumps({**facts, "format": storage.FORMAT + 1}).encode())

    with pytest.raises(qj.InvalidInput, match=r"newer qjob_widgets.*update qjob_widgets"):
        qj.load(path)


def test_facts_of_a_later_edition_of_this_format_are_left_alone(tmp_path):
    path = tmp_path / "file"
    storage.save(saved(composite("D")), path)
    facts = json.loads(zipfile.ZipFile(path).read("job.json"))
    facts["snapshot"]["parts"][0]["colour"] = "blue"
    del facts["snapshot"]["parts"][0]["run_mode"]
    rewritten(path, "job.json", json.dumps(facts).encode())

    assert qj.load(path).snapshot == composite("D")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_none_of_ours_is_one_sentence(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(qj.InvalidInput, match=r"notes\.txt' is no saved job, or it is damaged") as caught:
        qj.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("job.json", b"{}"),
        ("job.json", b"[1]"),
        ("job.json", b"{"),
        ("arrays.npz", b""),
        ("other", b""),
    ],
)
def test_a_zip_that_is_none_of_ours_is_one_sentence(tmp_path, name, content):
    path = tmp_path / "file.zip"
    storage.save(saved(composite("D"), np.ones(3)), path)
    if name == "other":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name, content)
    else:
        rewritten(path, name, content)

    with pytest.raises(qj.InvalidInput, match="no saved job, or it is damaged"):
        qj.load(path)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "file"
    storage.save(saved(composite("D" * 50), np.arange(1000)), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(qj.InvalidInput, match="damaged"):
        qj.load(path)


def test_a_file_cannot_run_anything(tmp_path):
    path, trace = tmp_path / "file", tmp_path / "trace"

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(trace),))

    storage.save(saved(composite("D"), np.ones(3)), path)
    file = io.BytesIO()
    np.savez(file, arr_0=np.array([Trap()], dtype=object))
    rewritten(path, "arrays.npz", file.getvalue())
    with pytest.raises(qj.InvalidInput):
        qj.load(path)
    rewritten(path, "arrays.npz", pickle.dumps(Trap()))
    with pytest.raises(qj.InvalidInput):
        qj.load(path)

    assert not trace.exists()


def test_no_file_is_one_sentence(tmp_path):
    with pytest.raises(qj.InvalidInput, match="There is no file"):
        qj.load(tmp_path / "nothing")
    with pytest.raises(qj.InvalidInput, match=r"nowhere.*give another path"):
        storage.save(saved(composite("D")), tmp_path / "nowhere" / "file")
    with pytest.raises(qj.InvalidInput, match="it is a folder"):
        storage.save(saved(composite("D")), tmp_path)
    with pytest.raises(qj.InvalidInput, match="7 is no path"):
        storage.save(saved(composite("D")), 7)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file"
    storage.save(saved(composite("D")), path)
    before = path.read_bytes()
    with pytest.raises(qj.InvalidInput, match="of the type object"):
        storage.save(saved(composite("DD"), object()), path)

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Arrays, "to_bytes", full)
    with pytest.raises(qj.InvalidInput, match="No space left on device"):
        storage.save(saved(composite("DD")), path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_circuits_that_this_qiskit_cannot_read_do_not_keep_the_rest_away(tmp_path):
    path = tmp_path / "file"
    job = storage.saved_job(composite("D"), 7, coins(1), created=NOON, now=NOON)
    storage.save(job, path)
    rewritten(path, "circuits.qpy", b"QISKIT" + bytes([255] * 40))
    found = qj.load(path)

    assert found.result() == 7
    with pytest.raises(qj.InvalidInput, match="update qiskit"):
        found.circuits()
