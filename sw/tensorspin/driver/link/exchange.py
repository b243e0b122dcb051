"""One exchange: keep the window full of requests, take the replies, repair what is lost.

- After a loss nothing is sent until the line is quiet (go-back-N), so that what the device says
  next is about what was sent last.
- A request whose reply got lost is asked again under a new number; `requests` sees to it that this
  has the same effect.
- A HELLO starts a new range of numbers if the device expects a number that was never sent, if it
  was restarted, or if packets must be cut into smaller ones.
- Where much is lost, packets and window shrink; they grow again when all goes well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from ...contract.wire.frames import Packet
from ...contract.wire.packets import REJECT, Status
from ...errors import DeviceError, FaultError, LinkError, LostError
from .line import Arrival, Line
from .requests import Read, Request
from .window import PendingRequest, Window

_MAX_TRIES = 64
"""How often one request is asked at most. On a line that loses half of all packets, the chance that
so many tries fail in a row is nil."""


class Exchange:
    """Asks many things, as many at a time as the device can hold.

    Parameters
    ----------
    line : Line
        The line to the device.
    window : Window
        The packets under way; none when the exchange begins.
    requests : iterable of Request
        What to ask. Requests are taken from it as there is room for them.
    timeout : float
        Seconds without progress, beyond what the requests themselves take, until a `LinkError`.
    greet : callable
        Greets the device anew, or raises if that isn't allowed.
    """

    def __init__(
        self,
        line: Line,
        window: Window,
        requests: Iterable[Request],
        timeout: float,
        greet: Callable[[], object],
    ) -> None:
        self._line = line
        self._window = window
        self._requests = iter(requests)
        self._timeout = timeout
        self._greet = greet
        # Requests without a number: asked in vain, cut off from larger ones, or without room yet.
        self._waiting: deque[PendingRequest] = deque()
        self._answers: deque[tuple[Request, bytes]] = deque()
        self._progress_at = self._retry_at = line.now()
        self._vain_greetings = 0  # since the last answer

    def answers(self) -> Iterator[tuple[Request, bytes]]:
        """Ask all requests.

        Yields
        ------
        request : Request
            A request that was answered; after a split, a piece of it.
        reply : bytes
            Payload of the reply after the status.
        """
        while True:
            self._window.fill(self._waiting, self._requests)
            if not self._window:
                return
            self._send()
            self._receive()
            if self._answers:
                while self._answers:
                    yield self._answers.popleft()
                self._note_progress()  # The time that the caller took doesn't count.

    # Sending

    def _send(self) -> None:
        packets = self._window.take_to_send()
        if not packets:
            return
        work = self._window.work
        statistics = self._line.statistics
        for packet in packets:
            pending = packet.pending
            # A device may take the first packets of a request, and never the last, again and again.
            if packet.tries >= _MAX_TRIES:
                raise self._lost(f"a part of {pending.request} was sent {_MAX_TRIES} times in vain")
            statistics.resent += packet.tries > 0 or pending.tries > 0
            packet.tries += 1
            if packet.last:
                if pending.tries >= _MAX_TRIES:
                    raise self._lost(f"{pending.request} was asked {_MAX_TRIES} times in vain")
                pending.tries += 1
        statistics.frames += len(packets)
        self._line.write(b"".join(packet.frame for packet in packets))
        self._retry_at = self._line.overdue_at(*work)

    # Receiving

    def _receive(self) -> None:
        rejected = self._take(self._line.read(max(0.0, self._retry_at - self._line.now())))
        # Replies are taken before the time is checked, as each puts off the time of the next try.
        overdue = self._line.now() >= self._retry_at
        self._line.statistics.timeouts += overdue
        if rejected or overdue:
            self._recover()

    def _take(self, arrival: Arrival) -> bool:
        """Take the packets that came; return whether there was a REJECT."""
        statistics = self._line.statistics
        rejected, replies = statistics.rejected, statistics.replies
        for packet in arrival.packets:
            if packet.type == REJECT:
                statistics.rejected += 1
                self._window.take_reject(packet)
            else:
                self._take_reply(packet)
        if statistics.replies > replies:
            self._note_progress()
        if arrival.damaged:
            # The damaged frame may have been the last reply under way: then the line is quiet soon,
            # and there is no need to wait longer. If it was not, the next reply prolongs the wait.
            self._window.pace.count_damage()
            quiet_at = self._line.now() + self._line.quiet_time(self._window.longest_silence)
            self._retry_at = min(self._retry_at, quiet_at)
        return statistics.rejected > rejected

    def _take_reply(self, reply: Packet) -> None:
        index = self._window.find(reply)
        if index is None:
            return
        self._line.statistics.replies += 1
        self._window.pace.count_reply()
        if not self._window[index].last:
            # The reply to FEATURES may overtake that to an earlier RUN, so it tells nothing about
            # the packets before it. The reply to the last part will tell of the whole request.
            self._window[index].replied = True
            return
        # All other replies come in order: those to the packets before this one are lost.
        *lost, answered = self._window.drop(index + 1)
        self._ask_again(lost)
        self._answer(answered, reply.payload)

    def _answer(self, pending: PendingRequest, payload: bytes) -> None:
        request = pending.request
        if not payload:
            raise LinkError(f"the device at {self._line.url} sent a reply without status")
        if payload[0] in request.repeat_on:
            self._waiting.append(pending)
        elif payload[0] != Status.OK:
            raise _refusal(request, payload[0])
        elif request.fixed_reply and len(payload) != request.reply_bytes:
            raise LinkError(
                f"the device at {self._line.url} replied to {request} with {len(payload) - 1} "
                f"bytes instead of {request.reply_bytes - 1}; does its bitstream belong to this "
                f"driver?"
            )
        else:
            self._vain_greetings = 0
            self._answers.append((request, payload[1:]))

    # Losses

    def _recover(self) -> None:
        """Wait for a quiet line, find out what the device has taken, and set up the rest again."""
        self._await_quiet()
        taken = self._window.taken
        if taken is None:
            self._greet_anew()
            return
        self._ask_again(self._window.drop(taken))
        if not self._window:
            return
        self._window.pace.shrink()
        if self._window.oversized:
            self._greet_anew()
        else:
            self._window.send_again()

    def _await_quiet(self) -> None:
        """Let the device finish what it holds, and the line run empty."""
        while (arrival := self._line.read_until_quiet(self._window.longest_silence)).size:
            self._take(arrival)
            self._check_progress()
        self._check_progress()

    def _ask_again(self, lost: list[PendingRequest]) -> None:
        """Put requests back that the device took and whose replies are lost."""
        if lost:
            self._window.pace.shrink()
            self._waiting.extend(lost)

    def _greet_anew(self) -> None:
        self._vain_greetings += 1
        if self._vain_greetings > _MAX_TRIES:
            raise self._lost(f"it was greeted {_MAX_TRIES} times and answered nothing else")
        self._waiting.extendleft(reversed(self._window.drop(len(self._window))))
        self._greet()
        self._note_progress()

    # Times

    def _note_progress(self) -> None:
        self._progress_at = self._line.now()
        self._retry_at = self._line.overdue_at(*self._window.work)

    def _check_progress(self) -> None:
        work = self._line.work_time(*self._window.work)
        # A device with a faulty program answers, too, if late. Two of its runs may come first: that
        # of an earlier sample, and the one that is waited for.
        work += self._window.longest_fault
        if self._line.now() > self._progress_at + self._timeout + 2 * work:
            raise self._lost(f"no progress for {self._timeout:g} s")

    def _lost(self, what: str) -> LostError:
        return LostError(
            f"lost the device at {self._line.url}: {what}; since opening: {self._line.statistics}. "
            f"Check cable and power, the baud rate ({self._line.baud:.0f}), and that the board is "
            f"still configured; then try again"
        )


def model_gone() -> DeviceError:
    """Make the error of a device that has lost the program."""
    return DeviceError(
        "the device has not the program any more: it was restarted, configured anew or loaded by "
        "somebody else; load the program again",
        Status.NO_MODEL,
    )


def program_corrupt() -> FaultError:
    """Make the error of a device that has found that it does not read what it was loaded with."""
    return FaultError(
        "the device has not read the program that was loaded: the signature of what it read is "
        "wrong, or its feature table is, or more bits of a header have changed than it corrects. "
        "A bit of its memory has changed, or its clock is too fast. It gave no scores and holds "
        "no program now; load the program again, and if that does not help, check the board with "
        "tensorspin selftest",
        Status.CORRUPT,
    )


def problem_corrupt() -> FaultError:
    """Make the error of an annealer that has found that it does not hold what was written."""
    return FaultError(
        "at the end of the run the annealer's memories did not hold what was written: their "
        "signature is wrong. A bit of couplings, schedule, ladder or initial states has changed, "
        "or the device's clock is too fast. It gave no results; the next run sends everything "
        "again, and if that does not help, check the board with tensorspin selftest",
        Status.CORRUPT,
    )


def _refusal(request: Request, status: int) -> DeviceError:
    if status == Status.NO_MODEL:
        return model_gone()
    if status == Status.CORRUPT:
        # Samples are refused for their program, and only results of the annealer cannot be read.
        return problem_corrupt() if isinstance(request, Read) else program_corrupt()
    try:
        status = Status(status)
        name = status.name
    except ValueError:
        name = f"status {status}, which this driver doesn't know"
    return DeviceError(f"the device refused {request}: {name}", status)
