"""One run of requests: keep the window full, take the replies, repair what is lost.

- After a loss nothing is sent until the line is quiet (go-back-N), so that what the device says
  next is about what was sent last.
- Requests whose replies got lost are asked again under new numbers, which `requests` allows.
- If the device expects a number that was never sent or was restarted, or if packets must be cut
  into smaller ones, a HELLO starts a new range of numbers.
- Where much is lost, packets and window shrink, and grow again when all goes well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from ...contract.wire.packets import REJECT, Packet, Status
from ...errors import DeviceError, LinkError
from .line import Arrival, Line
from .requests import Request
from .window import PendingRequest, Window

_MAX_TRIES = 64
"""Times that one request is asked."""


class Exchange:
    """Asks many things, as many at a time as the device can hold.

    Parameters
    ----------
    line : Line
    window : Window
        With nothing under way.
    requests : iterable of Request
        Taken from as there is room for them.
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
        greet: Callable[[], None],
    ) -> None:
        self._line = line
        self._window = window
        self._requests = iter(requests)
        self._timeout = timeout
        self._greet = greet
        self._again: deque[PendingRequest] = deque()
        self._answers: deque[tuple[Request, bytes]] = deque()
        self._progress_at = self._retry_at = 0.0

    def answers(self) -> Iterator[tuple[Request, bytes]]:
        """Requests and the payloads of their replies after the status."""
        self._note_progress()
        while True:
            self._fill_window()
            if not self._window:
                return
            self._send()
            self._receive()
            if self._answers:
                while self._answers:
                    yield self._answers.popleft()
                self._note_progress()  # The time that the caller took doesn't count.

    # Sending

    def _fill_window(self) -> None:
        while self._window.has_room:
            if not self._again:
                request = next(self._requests, None)
                if request is None:
                    return
                self._again.append(PendingRequest(request))
            pending = self._again.popleft()
            pieces = pending.request.split(self._window.pace.data_limit)
            if len(pieces) > 1:
                self._again.extendleft(
                    PendingRequest(piece, pending.tries) for piece in pieces[::-1]
                )
            elif not self._window.add(pending):
                self._again.appendleft(pending)
                return

    def _send(self) -> None:
        packets = self._window.take_to_send()
        if not packets:
            return
        statistics = self._line.statistics
        for packet in packets:
            pending = packet.pending
            statistics.resent += packet.tries > 0 or pending.tries > 0
            packet.tries += 1
            if packet.last:
                if pending.tries >= _MAX_TRIES:
                    raise self._lost(f"{pending.request} was asked {_MAX_TRIES} times in vain")
                pending.tries += 1
        statistics.frames += len(packets)
        self._line.write(b"".join(packet.frame for packet in packets))
        self._retry_at = self._overdue_at()

    # Receiving

    def _receive(self) -> None:
        rejected = self._take(self._line.read(max(0.0, self._retry_at - self._line.now())))
        overdue = self._line.now() >= self._retry_at  # Replies have prolonged it.
        self._line.statistics.timeouts += overdue
        if rejected or overdue:
            self._recover()

    def _take(self, arrival: Arrival) -> bool:
        """Take what came; True if there was a REJECT."""
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
            # Perhaps the last reply that was under way. If not, the next one prolongs this.
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
            # It may overtake the reply to an earlier RUN, and the reply to the last part tells all.
            self._window[index].replied = True
            return
        # All others come in order.
        *lost, answered = self._window.drop(index + 1)
        self._ask_again(lost)
        self._answer(answered, reply.payload)

    def _answer(self, pending: PendingRequest, payload: bytes) -> None:
        request = pending.request
        if not payload:
            raise LinkError(f"the device at {self._line.url} sent a reply without status")
        if payload[0] in request.repeat_on:
            self._again.append(pending)
        elif payload[0] != Status.OK:
            raise _refusal(request, payload[0])
        else:
            self._answers.append((request, payload[1:]))

    # Losses

    def _recover(self) -> None:
        """On a quiet line, find out what the device has taken, and set up the rest again."""
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
        """The device took these, and the replies are lost."""
        if lost:
            self._window.pace.shrink()
            self._again.extend(lost)

    def _greet_anew(self) -> None:
        self._again.extendleft(reversed(self._window.drop(len(self._window))))
        self._greet()
        self._note_progress()

    # Times

    def _work_time(self) -> float:
        """Seconds that the packets under way take, there and back and on the device."""
        return self._line.transfer_time(self._window.line_bytes) + self._window.seconds

    def _overdue_at(self) -> float:
        return self._line.now() + self._line.answer_time(self._work_time())

    def _note_progress(self) -> None:
        self._progress_at = self._line.now()
        self._retry_at = self._overdue_at()

    def _check_progress(self) -> None:
        if self._line.now() > self._progress_at + self._timeout + 2 * self._work_time():
            raise self._lost(f"no progress for {self._timeout:g} s")

    def _lost(self, what: str) -> LinkError:
        return LinkError(
            f"lost the device at {self._line.url}: {what}; since opening: {self._line.statistics}. "
            f"Check cable and power, the baud rate ({self._line.baud}), and that the board is "
            f"still configured; then try again"
        )


def model_gone() -> DeviceError:
    """The error of a device that has not the model any more."""
    return DeviceError(
        "the device has not the program any more: it was restarted, configured anew or loaded by "
        "somebody else; load the program again",
        Status.NO_MODEL,
    )


def _refusal(request: Request, status: int) -> DeviceError:
    if status == Status.NO_MODEL:
        return model_gone()
    try:
        status = Status(status)
        name = status.name
    except ValueError:
        name = f"status {status}, which this driver doesn't know"
    return DeviceError(f"the device refused {request}: {name}", status)
