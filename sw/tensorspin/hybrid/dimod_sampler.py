"""A remote sampler of dimod with a deadline, and a local one for when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dimod
from dimod.core.scoped import Scoped

from ..driver.transports import is_virtual
from ..errors import DeadlineError
from ..sampling.arguments import checked_model
from ..sampling.board_sampler import BoardSampler
from .checks import checked_deadline, checked_in_flight
from .deadline import Call, Calls, Clock, Deadline
from .offload import Offload, Outcome, reading, words_of
from .record import ANSWERED, LOCAL, NOT_OFFLOADED, REMOTE
from .sample_sets import checked_samples

INTERRUPTING = 0.2
"""Seconds before the deadline at which a local sampler is asked to stop: boards are asked about ten
times a second. At most half of a deadline is spent on this."""

EMBEDDING_SHARE = 0.5
"""Share of the deadline after which minorminer gives up to embed a model: it takes up to 0.4 s, or
nearly the same time again, until it looks at the time."""

MOST_LOCAL = 16
"""Greatest number of calls that wait for the local sampler, which works for one at a time."""


class HybridSampler(dimod.Sampler, Scoped):
    """Samples with a remote sampler, or with a local one if the remote is late or fails.

    The local sampler is started first. The remote's samples are taken if they come before the
    deadline, are samples of the model with the energies that they have, and there are any. They are
    taken even if the local ones have lower energies; ``info`` tells. A fault of the remote is never
    raised, and samples that come too late are not used. A remote that fails too often is left alone
    for a time (`Breaker`). A model without variables is left to the local sampler.

    Threads may share a sampler; the local one then works for one of them at a time.

    Parameters
    ----------
    remote : dimod.Sampler
        Any sampler, such as ``EmbeddingComposite(DWaveSampler())``; one that answers at once with a
        sample set that is filled later, as D-Wave's do, is waited for as well. One that has the
        parameter ``interrupt_function`` is stopped when nobody waits for it any more. minorminer,
        with which an ``EmbeddingComposite`` searches an embedding, stops all threads of Python; it
        is told to give up after half of the deadline, unless the composite was made with
        ``embedding_parameters``.
    local : dimod.Sampler
        Any sampler, such as `BoardSampler`.
    deadline : float, default=1.0
        Seconds in which each call answers. A local sampler that has the parameter
        ``interrupt_function`` is stopped shortly before, and its samples so far are taken. On a
        virtual board (``sim://``, ``golden://``) the local samples count with the time of the
        board's own clock, not with what its simulation takes.
    in_flight : int, default=2
        Greatest number of requests to the remote under way at a time, those that nobody waits for
        any more included; 1 to 64.

    Attributes
    ----------
    remote, local : dimod.Sampler
        The two samplers.
    deadline : float
        Seconds in which each call answers.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin import BoardSampler
    >>> from tensorspin.hybrid import HybridSampler
    >>> local = BoardSampler("golden://ulx3s_25f_annealer")
    >>> sampler = HybridSampler(dimod.ExactSolver(), local, deadline=10.0)
    >>> samples = sampler.sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_sweeps=50, seed=1)
    >>> float(samples.first.energy), samples.info["source"], samples.info["reason"]
    (-1.5, 'remote', 'answered')
    """

    # These are replaced by tests.
    _clock: Clock = staticmethod(time.monotonic)
    _local_calls: Calls | None = None
    _remote_calls: Calls | None = None

    def __init__(
        self,
        remote: dimod.Sampler,
        local: dimod.Sampler,
        deadline: float = 1.0,
        *,
        in_flight: int = 2,
    ) -> None:
        for name, sampler in (("remote", remote), ("local", local)):
            if not isinstance(sampler, dimod.Sampler):
                raise TypeError(f"{name} must be a dimod.Sampler, not {sampler!r}")
        self.deadline = checked_deadline(deadline)
        self.remote = remote
        self.local = local
        self._in_flight = checked_in_flight(in_flight)
        self._open()

    def _open(self) -> None:
        self._offload = Offload(self._in_flight, self._clock, self._remote_calls)
        self._locals = self._local_calls or Calls(MOST_LOCAL, "tensorspin local sampler")
        self._local_turn = threading.Lock()

    def __getstate__(self) -> dict:
        opened = ("_offload", "_locals", "_local_turn")  # threads stay with their process
        return {name: value for name, value in self.__dict__.items() if name not in opened}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._open()

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments of the two samplers; each is given those that it has."""
        return {**self.remote.parameters, **self.local.parameters}

    @property
    def properties(self) -> dict[str, Any]:
        """The deadline, and the properties of the two samplers."""
        return {
            "deadline": self.deadline,
            "remote_properties": dict(self.remote.properties),
            "local_properties": dict(self.local.properties),
        }

    def close(self) -> None:
        """Close those of the two samplers that can be closed."""
        for sampler in (self.remote, self.local):
            close = getattr(sampler, "close", None)
            if callable(close):
                close()

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters) -> dimod.SampleSet:
        """Sample from a binary quadratic model.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            The model, of spins (+1, -1) or binary variables (0, 1), with labels of any kind.
        **parameters
            Keyword arguments, each for those of the two samplers that have it in their
            ``parameters``. What neither has is ignored with a warning.

        Returns
        -------
        dimod.SampleSet
            The samples of one sampler, as it returned them. Its ``info`` also holds ``source``
            ("remote" or "local"), ``reason`` and ``detail`` (why, see
            `tensorspin.hybrid.record.REASONS`), ``seconds`` (of ``remote``, ``local`` and in
            ``total``), ``local_energy`` and ``remote_energy``: the lowest energy of each side that
            has answered by then, else None.

        Raises
        ------
        TypeError, ValueError
            If the model is none, or has coefficients that are not finite.
        Exception
            What the local sampler raises, if the remote has not answered, either.
        DeadlineError
            If the local sampler has not answered in time, and neither has the remote.
        """
        bqm = checked_model(bqm)
        deadline = Deadline(self.deadline, self._clock)
        remote_parameters = _timed(self.remote, _those_of(self.remote, parameters), self.deadline)
        local_parameters = _those_of(self.local, parameters)
        self.remove_unknown_kwargs(**parameters)
        # Neither side may change the model of the other.
        models = bqm.copy(), bqm.copy()
        board = _virtual_board(self.local)
        asked = parameters.get("interrupt_function")
        interrupt = _Interrupt(asked, deadline)
        if "interrupt_function" in self.local.parameters:
            local_parameters["interrupt_function"] = interrupt

        def sample_locally(call: Call) -> dimod.SampleSet | None:
            with self._local_turn:
                if call.abandoned:
                    return None
                if board is not None:
                    opened = board.board
                    interrupt.deadline = Deadline(self.deadline, lambda: opened.seconds)
                return _resolved(self.local.sample(models[0], **local_parameters), None)

        def sample_remotely(call: Call) -> dimod.SampleSet:
            if "interrupt_function" in self.remote.parameters:
                remote_parameters["interrupt_function"] = lambda: bool(
                    call.abandoned or (asked is not None and asked())
                )
            answer = _resolved(self.remote.sample(models[1], **remote_parameters), call)
            with reading():
                return checked_samples(answer, bqm)

        call = self._locals.start(sample_locally)
        try:
            outcome = Outcome(NOT_OFFLOADED)
            if bqm.num_variables:  # of none, some samplers return no samples
                outcome = self._offload.ask(sample_remotely).outcome(deadline, lambda found: found)
        except BaseException:  # such as Ctrl-C
            interrupt.enough = True
            raise
        if outcome.reason == ANSWERED:
            interrupt.enough = True
        return self._chosen(outcome, call, deadline, board is not None)

    def _chosen(
        self,
        outcome: Outcome,
        call: Call | None,
        deadline: Deadline,
        virtual: bool,
    ) -> dimod.SampleSet:
        """Return the samples of one side, with what is told of both."""
        answered = outcome.reason == ANSWERED
        local, error, seconds = None, None, None
        try:
            # The local answer is only looked at if the remote's is there.
            local, seconds = self._finished(call, deadline, virtual, wait=not answered)
        except Exception as raised:
            if not answered:
                raise
            error = raised
        samples = outcome.answer if answered else local
        assert samples is not None
        samples.info.update(
            source=REMOTE if answered else LOCAL,
            reason=outcome.reason,
            detail=outcome.detail if error is None else words_of(error),
            seconds={
                "remote": outcome.seconds,
                "local": seconds,
                "total": deadline.used() if not virtual else max(outcome.seconds, seconds or 0.0),
            },
            remote_energy=_lowest(outcome.answer),
            local_energy=_lowest(local),
        )
        return samples

    def _finished(
        self, call: Call | None, deadline: Deadline, virtual: bool, wait: bool
    ) -> tuple[dimod.SampleSet | None, float | None]:
        """Return the local samples and the seconds that they took, or raise why there are none."""
        limit = self.deadline
        if call is None:
            raise DeadlineError(
                f"{MOST_LOCAL} earlier calls of the local sampler have not ended; give it less "
                f"work, or longer deadlines than {limit:g} s"
            )
        if not wait and not call.wait(0):
            call.abandon()
            return None, None
        try:
            while not call.wait(1.0 if virtual else deadline.left()):
                if not virtual:
                    raise DeadlineError(
                        f"the local sampler did not answer within {limit:g} s; give it less work "
                        f"(fewer reads or sweeps), or a longer deadline"
                    )
        except BaseException:
            call.abandon()
            raise
        samples = call.answer()
        seconds = _device_seconds(samples) if virtual else call.seconds
        if virtual and seconds > limit:
            raise DeadlineError(
                f"the virtual board takes {seconds:.3g} s by its own clock, more than the deadline "
                f"of {limit:g} s; give it less work (fewer reads or sweeps), or a longer deadline"
            )
        return samples, seconds


def _those_of(sampler: dimod.Sampler, parameters: dict[str, Any]) -> dict[str, Any]:
    known = sampler.parameters
    return {name: value for name, value in parameters.items() if name in known}


def _timed(remote: dimod.Sampler, parameters: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Let no search for an embedding be longer than the deadline.

    minorminer holds Python's lock while it searches, for up to 1000 s, so that no other thread, not
    even the one that waits, goes on before it ends.
    """
    searches = any(
        getattr(getattr(each, "find_embedding", None), "__module__", "").startswith("minorminer")
        and not getattr(each, "embedding_parameters", None)  # its user has chosen
        for each in _below(remote)
    )
    if not searches or "embedding_parameters" not in remote.parameters:
        return parameters
    given = dict(parameters.get("embedding_parameters") or {})
    seconds = EMBEDDING_SHARE * deadline
    given["timeout"] = min(given.get("timeout", seconds), seconds)
    return {**parameters, "embedding_parameters": given}


def _resolved(samples: Any, call: Call | None) -> Any:
    """Wait for a sample set that a future is to fill, and tell how to cancel that."""
    if isinstance(samples, dimod.SampleSet):
        cancel = getattr(getattr(samples, "_future", None), "cancel", None)
        if call is not None and callable(cancel):
            call.cancel_with(cancel)
        samples.resolve()
    return samples


class _Interrupt:
    """Stops the local sampler when its samples are not needed any more, or time is over."""

    def __init__(self, asked: Callable[[], bool] | None, deadline: Deadline) -> None:
        self._asked = asked
        self.deadline = deadline
        self.enough = False

    def __call__(self) -> bool:
        deadline = self.deadline
        if self.enough or deadline.left() <= min(INTERRUPTING, deadline.seconds / 2):
            return True
        return bool(self._asked is not None and self._asked())


def _below(sampler: Any) -> Iterator[Any]:
    """Iterate over a sampler and those that it is composed of."""
    yield sampler
    for child in getattr(sampler, "children", ()):
        yield from _below(child)


def _virtual_board(sampler: dimod.Sampler) -> BoardSampler | None:
    """Return the sampler of a simulated or modelled board, if a sampler is, or is made of, one."""
    for each in _below(sampler):
        if isinstance(each, BoardSampler) and is_virtual(each.url):
            return each
    return None


def _device_seconds(samples: dimod.SampleSet) -> float:
    """Return the seconds of a virtual board's own clock; 0 if a composed sampler drops them."""
    info = samples.info
    return float(info.get("device_time", 0.0)) + float(info.get("transfer_time", 0.0))


def _lowest(samples: dimod.SampleSet | None) -> float | None:
    if samples is None or not len(samples):
        return None
    return float(samples.record.energy.min())
