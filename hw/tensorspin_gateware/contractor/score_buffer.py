"""The buffer of results: scores of a run, the greatest score of each sample, and its cycles."""

from __future__ import annotations

from amaranth import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.contractor.resident import BOTH_OUTPUTS
from tensorspin.contract.fixed import EXPONENT, MANTISSA
from tensorspin.contract.wire.packets import RESULT

from .interface import CYCLE_BITS, RESULT_WORD, RESULT_WORD_BITS
from .normaliser import INDEX_BITS, SCORE

BANKS = 2
"""Number of runs whose results fit: one run's are read while those of the next are written."""

PAIR_BIT = exact_log2(BOTH_OUTPUTS)
"""Bit of a row's address in its bank that says which of two results it belongs to, where a bank has
the results of two runs."""

TRAILER_WORDS = 8 * RESULT.size // RESULT_WORD_BITS
"""Number of words of a result after its scores: the exponent, the index of the greatest score, and
the lower and upper half of the cycles."""


class ScoreBuffer(wiring.Component):
    """Keeps results until they are read: written for all groups at once, read sample by sample.

    All groups produce the score of the same output in the same cycle, so one row of the memory
    holds one score of every group. A reader wants all words of one sample, and takes from each row
    the word of its group.

    Parameters
    ----------
    groups : int
        Number of groups.
    staged : bool, default=False
        Whether registers cut the long paths: before scores are compared, and behind what is known
        of a run.
    pairs : bool, default=False
        Whether a sample's results of two runs may be one.

    Ports
    -----
    begin : In(1)
        Strobe, at least one cycle before the first score of a run.
    outputs : In(6)
        Number of scores minus one, in the cycle of `begin`.
    first, end : In(log2(groups + 1))
        The groups `first` .. `end` - 1 have a sample in this run; constant until `finished`.
    fault : In(1)
        The scores of this run are meaningless, and each of its results is the one word 0; in the
        cycle of `begin`. After a run with a fault, all runs must have one until all results have
        been read: words on their way share one register for the number of scores.
    score_valid : In(1)
        High in each cycle in which `scores` holds a score of each group.
    scores : In(SCORE) x groups
        The scores. Their `index` and `last` are the same for all groups.
    exponents : In(16) x groups
        Exponents of the scores, from the first score to `TRAILER_WORDS` cycles after the last.
    cycles : In(32)
        The run's cycles so far; the count is taken with the last score.
    finished : Out(1)
        High in the cycle of the run's last score.
    room : Out(1)
        High while a bank is free for another run.
    empty : Out(1)
        High while all results have been read.
    words : Out(stream of RESULT_WORD)
        The results; a word every other cycle at most.
    both : In(1)
        Only with `pairs`. A result is that of a run and of the one after it, which have the same
        `first` and `end`: it has the words of both, but for the second number of scores, and its
        number of scores is that of the words between it and the second run's exponent. There is a
        fault if one of them has one, or more than `BOTH_OUTPUTS` scores. Constant until all results
        have been read.
    second : In(1)
        Only with `pairs`. The run is the second one of two; constant from `begin` to `finished`.

    Latency: the first word of a result is valid 9 cycles after `finished`, if nothing is before it.
    Memory: one block RAM of 4 Kbit a group on iCE40; on ECP5 one of 18 Kbit for two groups.
    """

    def __init__(self, groups: int, staged: bool = False, pairs: bool = False) -> None:
        self._groups = groups
        self._staged = staged
        self._pairs = pairs
        super().__init__(
            {
                "begin": In(1),
                "outputs": In(INDEX_BITS),
                "first": In(range(groups + 1)),
                "end": In(range(groups + 1)),
                "fault": In(1),
                "score_valid": In(1),
                "scores": In(SCORE).array(groups),
                "exponents": In(EXPONENT.width).array(groups),
                "cycles": In(CYCLE_BITS),
                "finished": Out(1),
                "room": Out(1),
                "empty": Out(1),
                "words": Out(stream.Signature(RESULT_WORD)),
            }
            | ({"both": In(1), "second": In(1)} if pairs else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # A bank has as many rows for the trailer as for scores, although it needs only four: so one
        # address bit tells scores from trailer, and a block RAM is large enough.
        assert MAX_OUTPUTS == 1 << INDEX_BITS
        m.submodules.rows = rows = memory.Memory(
            shape=RESULT_WORD_BITS * self._groups, depth=BANKS * 2 * MAX_OUTPUTS, init=[]
        )
        run_layout = data.StructLayout(
            {
                "outputs": INDEX_BITS,
                "first": self.first.shape(),
                "end": self.end.shape(),
                "fault": 1,
            }
            | ({"others": INDEX_BITS} if self._pairs else {})
        )
        runs = Array(Signal(run_layout, name=f"run_{bank}") for bank in range(BANKS))
        write_bank = Signal(range(BANKS))
        read_bank = Signal(range(BANKS))
        with m.If(self.begin):
            run = runs[write_bank]
            m.d.sync += [
                run.outputs.eq(self.outputs),
                run.first.eq(self.first),
                run.end.eq(self.end),
                run.fault.eq(self.fault),
            ]
            if self._pairs:
                self._begin_pair(m, run)
        run_read, available = runs[read_bank], write_bank != read_bank
        if self._staged:
            # The reader waits for a cycle after a bank, until this register has the next one's.
            known = Signal(run_layout)
            waits = Signal()
            m.d.sync += known.eq(run_read)
            run_read, available = known, available & ~waits
        stored = self._write(m, rows.write_port(), write_bank)
        consumed, drained = self._read(m, rows.read_port(), read_bank, run_read, available)
        if self._staged:
            m.d.sync += waits.eq(consumed)
        m.d.sync += [
            write_bank.eq(write_bank + stored),
            read_bank.eq(read_bank + consumed),
        ]
        # A run occupies its bank from `begin` on, so that `room` is right before the next run
        # starts.
        unread = Signal(range(BANKS + 1))
        begun = self.begin & ~self.second if self._pairs else self.begin
        m.d.sync += unread.eq(unread + begun - consumed)
        m.d.comb += [
            self.room.eq(unread != BANKS),
            self.empty.eq((unread == 0) & drained),
        ]
        return m

    def _begin_pair(self, m: Module, run: data.View) -> None:
        """Keep what the results of two runs need, in the cycle of `begin`."""
        assert BOTH_OUTPUTS == 1 << PAIR_BIT
        too_many = self.both & self.outputs[PAIR_BIT]
        m.d.sync += run.fault.eq(self.fault | too_many)
        with m.If(self.second):
            m.d.sync += [
                run.outputs.eq(run.outputs),
                run.others.eq(self.outputs),
                run.fault.eq(run.fault | self.fault | too_many),
            ]

    def _write(self, m: Module, write, bank) -> Value:
        """Write a run's scores, then its trailer; return the strobe of the last word."""
        groups = range(self._groups)
        score = self.scores[0]
        best_index = [Signal(RESULT_WORD_BITS, name=f"best_index_{group}") for group in groups]
        # A copy of the count, as the next run may begin to count while the trailer is written.
        cycles = Signal.like(self.cycles)
        # Word of the trailer that is written in this cycle; TRAILER_WORDS if none is.
        step = Signal(range(TRAILER_WORDS + 1), init=TRAILER_WORDS)
        in_trailer = step != TRAILER_WORDS
        row = Mux(in_trailer, step, score.index)
        complete = step == TRAILER_WORDS - 1
        if self._pairs:
            # The next run may begin while the trailer is written.
            second = Signal()
            with m.If(self.finished):
                m.d.sync += second.eq(self.second)
            row |= Mux(in_trailer, second, self.second).shift_left(PAIR_BIT)
            complete &= second | ~self.both
        m.d.comb += [
            self.finished.eq(self.score_valid & score.last),
            write.en.eq(self.score_valid | in_trailer),
            write.addr.eq(Cat(row, in_trailer, bank)),
        ]
        low, high = cycles[:RESULT_WORD_BITS], cycles[RESULT_WORD_BITS:]
        trailer = [
            list(self.exponents),
            best_index,
            [low] * self._groups,
            [high] * self._groups,
        ]
        assert len(trailer) == TRAILER_WORDS
        with m.Switch(step):
            for index, words in enumerate(trailer):
                with m.Case(index):
                    m.d.comb += write.data.eq(Cat(words))
            with m.Default():
                m.d.comb += write.data.eq(Cat(score.mantissa for score in self.scores))
        # With equal scores the first one counts, as for NumPy's argmax. Scores of a sample have the
        # same exponent, so that their mantissas can be compared.
        if self._staged:
            for group, each in enumerate(self.scores):
                self._compare_late(m, each, best_index[group])
        else:
            best = [Signal(signed(MANTISSA.width), name=f"best_{group}") for group in groups]
            with m.If(self.score_valid):
                for group, mantissa in enumerate(score.mantissa for score in self.scores):
                    with m.If((score.index == 0) | (mantissa > best[group])):
                        m.d.sync += [best[group].eq(mantissa), best_index[group].eq(score.index)]
        with m.If(self.finished):
            m.d.sync += [cycles.eq(self.cycles), step.eq(0)]
        with m.Elif(in_trailer):
            m.d.sync += step.eq(step + 1)
        return complete

    def _compare_late(self, m: Module, score, best_index: Signal) -> None:
        """Find the greatest of a group's scores a cycle after they come.

        The index is in the trailer's second word, and so is not late. A path from carry chain to
        registers is all that there is in a cycle: scores are biased, and so unsigned; the greatest
        is kept as what is missing to the greatest number, so that the sum of both has a carry if a
        score is greater; and where there is no score, the least number stands for it, which never
        is. Sums and products instead of conditions keep Yosys from making enables of the carry,
        which would be a look-up table and a long wire more.

        Parameters
        ----------
        m : Module
            The logic is added to it.
        score : View of SCORE
            The group's score.
        best_index : Signal
            Index of the greatest score, which is driven.
        """
        width = MANTISSA.width
        bias = 1 << (width - 1)
        compared = Signal(width)
        index = Signal.like(score.index)
        missing = Signal(width, init=-1)
        valid = self.score_valid.replicate(width)
        m.d.sync += [
            compared.eq((score.mantissa.as_unsigned() ^ bias) & valid),
            index.eq(score.index),
        ]
        greater = (compared + missing)[width]
        for register, value in ((missing, ~compared), (best_index, index)):
            taken = greater.replicate(len(value))
            m.d.sync += register.eq((taken & value) | (~taken & register[: len(value)]))
        with m.If(self.begin):
            m.d.sync += [missing.eq(-1), best_index.eq(0)]

    def _read(self, m: Module, read, bank, run, available) -> tuple[Value, Value]:
        """Give out a run's results.

        A word passes three registers: the memory's output register, one for the row, since the
        memory's output is valid late in its cycle, and that of the stream. The first two move on
        whether or not the reader takes words, which is simpler than a pipeline that can stop, and
        for which words come every other cycle only. The reader, which sends bytes over a line, is
        slower than that.

        Parameters
        ----------
        m : Module
            The logic is added to it.
        read : amaranth.lib.memory.ReadPort
            Read port of the rows.
        bank : Signal
            The bank to read.
        run : data.View
            What is known of the run in that bank.
        available : Value
            There is a complete run in that bank.

        Returns
        -------
        consumed : Value
            Strobe: the last row of the run has been read, and its bank is free.
        drained : Value
            No word is on its way.
        """
        # The next read: a group, and either a row of the bank or the number of scores.
        begun = Signal()
        group = Signal.like(self.first)
        head = Signal(init=1)  # the number of scores comes next
        row = Signal(range(2 * MAX_OUTPUTS))
        count = Signal(RESULT_WORD_BITS)
        place = data.StructLayout({"head": 1, "group": range(self._groups), "last": 1})
        # `fetched`: a row is at the memory's output. `held`: a row is in the register behind it.
        fetched = Signal()
        fetched_place = Signal(place)
        held = Signal()
        held_place = Signal(place)
        held_row = Signal(data.ArrayLayout(RESULT_WORD_BITS, self._groups))

        fetch = Signal()
        move = Signal()
        last = Signal()
        trailer_first = MAX_OUTPUTS
        trailer_last = MAX_OUTPUTS + TRAILER_WORDS - 1
        is_last_score, is_trailer_last = row == run.outputs, row == trailer_last
        after_last, further = trailer_first, 1
        if self._pairs:
            second = self.both & row[PAIR_BIT]
            is_last_score = row == Mux(second, run.others | BOTH_OUTPUTS, run.outputs)
            is_trailer_last = (row & ~BOTH_OUTPUTS) == trailer_last
            after_last = trailer_first | second.shift_left(PAIR_BIT)
            further = Mux(self.both, run.others + 2 + TRAILER_WORDS, 1)
        if self._staged:
            # A cycle late: the row changes every other cycle at most.
            comparisons = Signal(2)
            m.d.sync += comparisons.eq(Cat(is_last_score, is_trailer_last))
            is_last_score, is_trailer_last = comparisons
        result_ends = is_trailer_last
        if self._pairs:
            result_ends &= second | ~self.both
        m.d.comb += [
            fetch.eq(begun & ~fetched),
            move.eq(held & (~self.words.valid | self.words.ready)),
            last.eq(Mux(head, run.fault, result_ends)),
            read.en.eq(fetch),
            read.addr.eq(Cat(row, bank)),
        ]
        # A result's last word is that of the cycles or, if there is a fault, the number of scores.
        consumed = fetch & last & (group + 1 == run.end)
        with m.If(~begun & available):
            m.d.sync += [begun.eq(1), group.eq(run.first)]
        with m.If(fetch):
            m.d.sync += [
                fetched.eq(1),
                fetched_place.head.eq(head),
                fetched_place.group.eq(group),
                fetched_place.last.eq(last),
                head.eq(last),
                # The trailer comes after the last score, whose row is `outputs`, the number of
                # scores minus one.
                row.eq(Mux(is_last_score, after_last, row + 1)),
            ]
            if self._pairs:
                with m.If(is_trailer_last):
                    m.d.sync += row.eq(BOTH_OUTPUTS)
            with m.If(head):
                m.d.sync += [row.eq(0), count.eq(Mux(run.fault, 0, run.outputs + further))]
            with m.If(last):
                m.d.sync += group.eq(group + 1)
            with m.If(consumed):
                m.d.sync += begun.eq(0)
        with m.If(fetched & ~held):
            m.d.sync += [
                fetched.eq(0),
                held.eq(1),
                held_place.eq(fetched_place),
                held_row.eq(read.data),
            ]
        with m.If(move):
            m.d.sync += [
                held.eq(0),
                self.words.valid.eq(1),
                self.words.payload.word.eq(Mux(held_place.head, count, held_row[held_place.group])),
                self.words.payload.last.eq(held_place.last),
            ]
        with m.Elif(self.words.ready):
            m.d.sync += self.words.valid.eq(0)
        return consumed, ~begun & ~fetched & ~held & ~self.words.valid
