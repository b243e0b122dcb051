"""The rules of a device that holds two programs, request by request."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.resident import BOTH_OUTPUTS, both_reply_bytes, half_base
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    BOTH,
    OFFSET,
    RESULT,
    SECOND,
    SIGNED,
    STANDBY,
    SWAP,
    PacketType,
    Status,
)
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import UNCHECKED_ROW, with_checks
from ..support.hosts import Host
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAMS = [chain_program(5, 3, seed=1), chain_program(7, 4, seed=2)]
DIGESTS = [0x1111, 0x2222]
ROWS = {
    signature: with_checks(
        signature=signature, table_parity=signature, program_words=8192, components=2, resident=1
    )
    for signature in (0, 1)
}


class TwoPrograms(Host):
    """Writes, activates and runs two programs."""

    def __init__(self, signature: int) -> None:
        super().__init__(GoldenDevice(ROWS[signature]))
        self.size = ROWS[signature].require_contractor()
        self.signature = signature

    def load(self, half: int, most: int | None = None) -> None:
        program = PROGRAMS[half]
        for space, image in (
            (MemorySpace.PROGRAM, program.image(self.size.lanes, bool(self.signature))),
            (MemorySpace.TABLE, program.table_bytes()),
        ):
            base = half_base(self.size, space, half)
            for first in range(0, len(image), 200)[:most]:
                data = image[first : first + 200]
                assert self.write(space, base + first, data) is Status.OK

    def activate(self, half: int, flags: int = 0, features: int | None = None) -> Status:
        count = PROGRAMS[half].n_features if features is None else features
        told = count | flags | SECOND * half | SIGNED * self.signature
        return self.ask(PacketType.ACTIVATE, ACTIVATE.pack(told, DIGESTS[half]))[0]

    def run(self, half: int) -> Status:
        """Run a sample, and compare the scores with those of the half's program."""
        levels = random_levels(1, PROGRAMS[half].n_features)
        payload = OFFSET.pack(0) + levels.tobytes()
        status, reply = self.ask(PacketType.RUN, payload)
        if status is Status.OK:
            right = golden_answers(PROGRAMS[half], levels)
            scores = np.frombuffer(reply[: -RESULT.size], dtype="<i2")
            np.testing.assert_array_equal(scores, right.scores[0])
            assert RESULT.unpack(reply[-RESULT.size :])[-1] == right.cycles[0]
        return status

    def both(self) -> None:
        """Load both programs; the first one runs."""
        for half in range(2):
            self.load(half)
            assert self.activate(half, STANDBY * half) is Status.OK
        assert self.holds(0)

    def holds(self, half: int) -> bool:
        status = self.status()
        return status.active and (status.digest, status.half) == (DIGESTS[half], half)


@pytest.fixture(params=ROWS)
def host(request):
    return TwoPrograms(request.param)


def test_programs_take_turns(host):
    host.both()
    for half in (0, 1, 0, 0, 1, 1, 0):
        assert host.activate(half, SWAP) is Status.OK
        assert host.holds(half) and host.run(half) is Status.OK


def test_what_stands_by_is_written_while_the_other_runs(host):
    host.load(0)
    assert host.activate(0) is Status.OK
    for most in (1, None):
        host.load(1, most)
        assert host.holds(0) and host.run(0) is Status.OK
    assert host.activate(1, STANDBY) is Status.OK
    assert host.holds(0) and host.run(0) is Status.OK
    assert host.activate(1, SWAP) is Status.OK
    assert host.holds(1) and host.run(1) is Status.OK


def test_a_swap_to_an_empty_half_is_refused(host):
    for half in range(2):
        assert host.activate(half, SWAP) is Status.NO_MODEL
    assert host.run(0) is Status.NO_MODEL
    host.load(0)
    assert host.activate(0) is Status.OK
    host.load(1)  # nobody has said that this is all
    assert host.activate(1, SWAP) is Status.NO_MODEL
    assert host.activate(1, SWAP | STANDBY) is Status.NO_MODEL
    assert host.holds(0) and host.run(0) is Status.OK


def test_a_swap_to_a_half_that_was_written_is_refused(host):
    host.both()
    host.load(1, 1)
    assert host.activate(1, SWAP) is Status.NO_MODEL
    assert host.holds(0) and host.run(0) is Status.OK
    assert host.activate(1) is Status.OK  # somebody says that it is whole all the same
    assert host.run(1) is Status.OK
    assert host.activate(0, SWAP) is Status.OK
    host.load(0, 1)
    assert host.run(0) is Status.NO_MODEL and host.status().half == 0
    assert host.activate(1, SWAP) is Status.OK
    assert host.activate(0, SWAP) is Status.NO_MODEL


def test_a_write_at_the_border_counts_for_both_halves(host):
    host.both()
    for space in MemorySpace:
        border = half_base(host.size, space, 1)
        held = bytes(host.device.memories[space][border - 1 : border + 1])
        assert host.write(space, border - 1, held) is Status.OK
        for half in range(2):
            assert host.activate(half, SWAP) is Status.NO_MODEL
        host.both()


def test_an_impossible_number_of_features_changes_nothing(host):
    host.both()
    for flags in (0, SWAP, STANDBY):
        assert host.activate(1, flags, features=0) is Status.BAD_FEATURE_COUNT
        assert host.activate(1, flags, features=1025) is Status.BAD_FEATURE_COUNT
    assert host.holds(0) and host.run(0) is Status.OK
    assert host.activate(1, SWAP) is Status.OK


def test_standby_of_the_half_that_runs_is_a_plain_activation(host):
    host.load(0)
    assert host.activate(0, STANDBY) is Status.OK
    assert host.holds(0) and host.run(0) is Status.OK


def test_a_corrupt_half_is_not_whole():
    host = TwoPrograms(1)
    host.both()
    image = PROGRAMS[0].image(host.size.lanes, True)
    host.write(MemorySpace.PROGRAM, 0, bytes([image[0] ^ 1]))
    assert host.activate(0) is Status.OK
    assert [host.run(0), host.run(0)] == [Status.CORRUPT, Status.CORRUPT]
    host.load(1)  # which says nothing of the half that runs
    assert host.activate(1, STANDBY) is Status.OK
    assert host.run(0) is Status.CORRUPT and host.status().corrupted == 1
    assert host.activate(1, SWAP) is Status.OK and host.run(1) is Status.OK
    assert host.activate(0, SWAP) is Status.NO_MODEL and host.run(1) is Status.OK


def test_wrong_parity_counts_in_its_half():
    host = TwoPrograms(1)
    host.both()
    table = host.size.space_bytes(MemorySpace.TABLE)
    base = half_base(host.size, MemorySpace.TABLE, 1)
    whole = PROGRAMS[1].table_bytes()
    for first in range(0, len(whole), 200):
        host.write(MemorySpace.TABLE, table + base + first, whole[first : first + 200])
    assert host.run(0) is Status.OK
    assert host.activate(1) is Status.OK and host.run(1) is Status.CORRUPT
    assert host.activate(0, SWAP) is Status.OK and host.run(0) is Status.OK


def test_a_device_without_halves_knows_no_such_activation():
    host = Host(GoldenDevice(UNCHECKED_ROW))
    for flag in (SECOND, STANDBY, SWAP):
        status, _ = host.ask(PacketType.ACTIVATE, ACTIVATE.pack(5 | flag, 1))
        assert status is Status.BAD_FEATURE_COUNT


# Both halves for each sample

FEATURES = max(program.n_features for program in PROGRAMS)


def run_both(host, order) -> Status:
    """Run a sample with both, and compare the scores with those of each program."""
    levels = random_levels(1, FEATURES, seed=host.status().samples)
    status, reply = host.ask(PacketType.RUN, OFFSET.pack(0) + levels.tobytes())
    if status is Status.OK:
        assert 1 + len(reply) == both_reply_bytes(tuple(PROGRAMS[half].n_outputs for half in order))
        for half in order:
            program = PROGRAMS[half]
            right = golden_answers(program, levels[:, : program.n_features])
            scores, reply = reply[: 2 * program.n_outputs], reply[2 * program.n_outputs :]
            np.testing.assert_array_equal(np.frombuffer(scores, dtype="<i2"), right.scores[0])
            fields, reply = reply[: RESULT.size], reply[RESULT.size :]
            assert RESULT.unpack(fields)[1:] == (right.classes[0], right.cycles[0])
        assert not reply
    return status


def activate_both(host, first=0, features=FEATURES) -> Status:
    return host.activate(first, BOTH, features)


def test_both_halves_contract_a_sample_that_is_sent_once(host):
    host.both()
    for first in (0, 1, 1, 0):
        assert activate_both(host, first) is Status.OK and host.holds(first)
        before = host.status()
        for _ in range(2):
            assert run_both(host, (first, 1 - first)) is Status.OK
        after = host.status()
        cycles = sum(
            golden_answers(each, random_levels(1, 7)[:, : each.n_features]).cycles[0]
            for each in PROGRAMS
        )
        assert after.samples == before.samples + 2
        assert after.busy_cycles == before.busy_cycles + 2 * cycles
    assert host.activate(1, SWAP) is Status.OK and host.run(1) is Status.OK
    assert host.activate(0, SWAP) is Status.OK and host.run(0) is Status.OK


def test_both_need_two_whole_halves(host):
    assert activate_both(host) is Status.NO_MODEL
    host.load(0)
    assert host.activate(0) is Status.OK
    for first in range(2):
        assert activate_both(host, first) is Status.NO_MODEL
    assert host.holds(0) and host.run(0) is Status.OK
    host.load(1)
    assert host.activate(1, STANDBY) is Status.OK
    assert activate_both(host, 0, features=0) is Status.BAD_FEATURE_COUNT
    assert host.run(0) is Status.OK
    assert activate_both(host, 1) is Status.OK
    assert host.ask(PacketType.RUN, OFFSET.pack(0) + bytes(5))[0] is Status.BAD_FEATURE_COUNT
    assert run_both(host, (1, 0)) is Status.OK


@pytest.mark.parametrize("written", [0, 1])
def test_a_write_to_either_half_ends_both(host, written):
    host.both()
    assert activate_both(host) is Status.OK
    host.load(written, 1)
    assert not host.status().active and run_both(host, (0, 1)) is Status.NO_MODEL
    assert activate_both(host) is Status.NO_MODEL and host.activate(0, SWAP) is Status.NO_MODEL
    assert host.activate(1, SWAP) is (Status.OK if written == 0 else Status.NO_MODEL)
    host.load(written)
    for half in range(2):
        assert host.activate(half) is Status.OK and host.run(half) is Status.OK


def test_a_half_on_standby_leaves_both_as_they_are(host):
    host.both()
    assert activate_both(host) is Status.OK
    assert host.activate(1, STANDBY) is Status.OK
    assert host.holds(0) and run_both(host, (0, 1)) is Status.OK


@pytest.mark.parametrize("wrong", [0, 1])
def test_if_one_is_corrupt_there_are_no_scores_and_no_half_is_whole(wrong):
    host = TwoPrograms(1)
    host.both()
    assert activate_both(host) is Status.OK and run_both(host, (0, 1)) is Status.OK
    base = half_base(host.size, MemorySpace.PROGRAM, wrong)
    byte = host.device.memories[MemorySpace.PROGRAM][base]
    host.write(MemorySpace.PROGRAM, base, bytes([byte ^ 1]))
    for half in range(2):
        assert host.activate(half) is Status.OK
    assert activate_both(host) is Status.OK
    assert [run_both(host, (0, 1)) for _ in range(2)] == [Status.CORRUPT] * 2
    assert host.status().corrupted == 1 and not host.status().active
    for flags in (SWAP, BOTH):
        assert [host.activate(half, flags) for half in range(2)] == [Status.NO_MODEL] * 2
    host.load(wrong)
    for half in range(2):
        assert host.activate(half) is Status.OK
    assert activate_both(host) is Status.OK and run_both(host, (0, 1)) is Status.OK


@pytest.mark.parametrize("outputs", [BOTH_OUTPUTS, BOTH_OUTPUTS + 1])
def test_more_scores_than_fit_the_reply_give_none(host, outputs, monkeypatch):
    wide = chain_program(7, outputs, seed=3)
    monkeypatch.setattr(sys.modules[__name__], "PROGRAMS", [PROGRAMS[0], wide])
    host.both()
    assert activate_both(host) is Status.OK
    fits = outputs == BOTH_OUTPUTS
    none = Status.CORRUPT if host.signature else Status.PROGRAM_OVERRUN
    assert run_both(host, (0, 1)) is (Status.OK if fits else none)
    assert host.activate(1) is Status.OK and host.run(1) is Status.OK  # alone it has them
