"""The annealer's rules, request by request, as `test_device` has the others."""

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import (
    AnnealerSpace,
    result_bytes,
    run_bytes,
    space_bytes,
    step_bytes,
    stride_bits,
)
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.results import AnnealResults
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.frames import BITS_PER_BYTE, FRAME_OVERHEAD, MAX_PAYLOAD
from tensorspin.contract.wire.packets import PacketType, Status
from tensorspin.golden.annealer.metropolis import GoldenAnnealer, anneal
from tensorspin.golden.device import GoldenDevice

from ..support.anneals import ALONE, BOTH, SIZE, cooling, random_ising
from ..support.doubles import ROW
from ..support.hosts import Host
from ..support.random_problems import problem_scripts

JOB = AnnealJob(random_ising(), cooling(), seed=1)
RUN = JOB.run_image()


@pytest.fixture(params=[ALONE, BOTH], ids=lambda row: row.name)
def host(request):
    host = Host(GoldenDevice(request.param))
    host.device.byte_cycles = 0
    return host


def load(host):
    assert host.write(AnnealerSpace.CLEAR, 0, b"x") is Status.OK
    for script in problem_scripts(JOB.problem):
        assert host.write(AnnealerSpace.SPARSE, 0, script) is Status.OK
    for index, word in enumerate(JOB.images()[AnnealerSpace.STEPS]):
        address = index << stride_bits(step_bytes(SIZE))
        assert host.write(AnnealerSpace.STEPS, address, word) is Status.OK


def results(host):
    length = result_bytes(SIZE)
    blocks = []
    for replica in range(SIZE.replicas):
        address = replica << stride_bits(length)
        status, data = host.read(AnnealerSpace.RESULTS, address, length)
        assert status is Status.OK
        blocks.append(data)
    return AnnealResults.unpack(JOB.problem, blocks)


def assert_equal(found, expected):
    for name, value in vars(expected).items():
        np.testing.assert_array_equal(getattr(found, name), value, name)


def test_a_run_takes_its_cycles(host):
    load(host)
    assert host.ask(PacketType.ANNEAL, RUN) == (Status.OK, b"")
    begin = host.device.cycle
    expected = anneal(JOB)
    annealer = GoldenAnnealer(JOB)
    annealer.fill()
    for number, step in enumerate(JOB.steps):
        host.device.cycle = begin + int(annealer.cycles[0])
        status = host.status()
        assert (status.annealing, status.step) == (True, number)
        annealer.run(step)
    host.device.cycle = begin + expected.cycles - 1
    assert host.status().annealing
    host.device.cycle = begin + expected.cycles
    status = host.status()
    assert (status.annealing, status.step) == (False, 0)
    assert_equal(results(host), expected)


def test_bytes_on_the_line_take_their_time():
    host = Host(GoldenDevice(BOTH))
    before = host.device.cycle
    host.ask(PacketType.ANNEAL, RUN)
    frame = FRAME_OVERHEAD + len(RUN)
    cycles = frame * BITS_PER_BYTE * BOTH.clock_hz / BOTH.baud
    assert host.device.cycle - before == pytest.approx(cycles)


def test_memories_are_refused_while_it_runs(host):
    load(host)
    host.ask(PacketType.ANNEAL, RUN)
    before = {space: bytes(memory) for space, memory in host.device.memories.items()}
    for space in AnnealerSpace:
        known = space is not AnnealerSpace.RUN
        write, read = host.write(space, 0, b"x"), host.read(space, 0, 1)[0]
        readable = space is AnnealerSpace.RESULTS
        assert write is (Status.BUSY if known and not readable else Status.BAD_ADDRESS)
        assert read is (Status.BUSY if readable else Status.BAD_ADDRESS)
    after = dict(host.device.memories)
    assert {**after, AnnealerSpace.RESULTS: before[AnnealerSpace.RESULTS]} == before


def test_the_same_run_again_gives_the_same(host):
    load(host)
    found = []
    for _ in range(2):
        host.ask(PacketType.ANNEAL, RUN)
        host.device.cycle += 1e9
        found.append(results(host))
    assert_equal(*found)


def test_another_run_replaces_the_first(host):
    load(host)
    host.ask(PacketType.ANNEAL, replace(JOB, seed=7, refresh=3).run_image())
    host.ask(PacketType.ANNEAL, RUN)
    host.device.cycle += 1e9
    assert_equal(results(host), anneal(JOB))


def test_hello_stops_a_run_and_keeps_the_memories(host):
    load(host)
    host.ask(PacketType.ANNEAL, RUN)
    host.greet()
    status = host.status()
    assert (status.annealing, status.cleared) == (False, True)
    host.ask(PacketType.ANNEAL, RUN)
    host.device.cycle += 1e9
    assert_equal(results(host), anneal(JOB))


def test_cleared_is_lost_in_a_restart(host):
    assert not host.status().cleared
    host.write(AnnealerSpace.CLEAR, 0, b"x")
    assert host.status().cleared
    host.device.restart()
    host.greet()
    assert not host.status().cleared


def test_clearing(host):
    for space in (AnnealerSpace.COUPLINGS, AnnealerSpace.STATES, AnnealerSpace.STEPS):
        host.write(space, 1, b"abc")
    host.write(AnnealerSpace.CLEAR, 0, b"x")
    memories = host.device.memories
    assert not any(memories[AnnealerSpace.COUPLINGS]) and not any(memories[AnnealerSpace.STATES])
    assert memories[AnnealerSpace.STEPS][1:4] == b"abc"


def test_scripts_may_be_repeated(host):
    script = (5).to_bytes(3, "little") + b"\x11\x02\x22\xff\x33"
    for _ in range(2):
        host.write(AnnealerSpace.SPARSE, 0, script)
        couplings = host.device.memories[AnnealerSpace.COUPLINGS]
        assert couplings[5:8] == b"\x11\0\x22"
        assert couplings[7 + 255] == 0x33


@pytest.mark.parametrize("length", [0, 1, run_bytes(SIZE) - 1, run_bytes(SIZE) + 1, MAX_PAYLOAD])
def test_bad_length(host, length):
    assert host.ask(PacketType.ANNEAL, bytes(length)) == (Status.BAD_LENGTH, b"")
    assert not host.status().annealing


def test_bad_addresses(host):
    for space in AnnealerSpace:
        end = 1 << (space_bytes(SIZE, space) - 1).bit_length()
        assert host.write(space, end, b"x") is Status.BAD_ADDRESS
        assert host.read(space, end, 1)[0] is Status.BAD_ADDRESS
    assert host.write(max(AnnealerSpace) + 1, 0, b"x") is Status.BAD_ADDRESS


def test_a_run_of_nothing_ends_at_once(host):
    host.ask(PacketType.ANNEAL, bytes(run_bytes(SIZE)))
    assert not host.status().annealing


def test_engines_do_not_touch_each_other():
    host = Host(GoldenDevice(BOTH))
    host.device.byte_cycles = 0
    host.load()
    load(host)
    assert host.status().active
    host.ask(PacketType.ANNEAL, RUN)
    assert host.write(MemorySpace.TABLE, 0, b"x") is Status.OK
    assert host.status().annealing


def test_requests_of_engines_that_are_missing():
    host = Host(GoldenDevice(ROW))
    assert host.ask(PacketType.ANNEAL, RUN) == (Status.UNKNOWN_TYPE, b"")
    for space in AnnealerSpace:
        assert host.write(space, 0, b"x") is Status.BAD_ADDRESS
    host = Host(GoldenDevice(ALONE))
    for kind in (PacketType.ACTIVATE, PacketType.FEATURES, PacketType.RUN):
        assert host.ask(kind, bytes(6)) == (Status.UNKNOWN_TYPE, b"")
    for space in MemorySpace:
        assert host.read(space, 0, 1) == (Status.BAD_ADDRESS, b"")


def test_a_run_is_computed_as_far_as_the_clock_has_come(host):
    """Whoever waits in parts can leave off between them; the bits do not depend on the parts."""
    load(host)
    host.ask(PacketType.ANNEAL, RUN)
    begin, expected = host.device.cycle, anneal(JOB)
    run = host.device.engines[EngineKind.ANNEALER]._run
    seen = []
    for part in np.linspace(0, 1, 50, endpoint=False):
        host.device.cycle = begin + part * expected.cycles
        host.device.work()
        seen.append(int(run.batch._annealer.cycles[0]))
        assert part * expected.cycles < seen[-1] <= expected.cycles
    assert len(set(seen)) > 20
    host.device.cycle = begin + expected.cycles
    assert_equal(results(host), expected)
