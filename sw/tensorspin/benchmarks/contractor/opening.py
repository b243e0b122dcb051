"""Open the boards of a benchmark one after the other, so that results need not wait for the last.

A simulator takes from seconds to minutes to compile. While a board is measured, those after it are
compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from ...driver.board import Board
from ...driver.transports import check_virtual


class Boards:
    """Boards that are open, or will be when it is their turn; use them as a context manager.

    What would fail only after minutes of measuring is refused at once: boards that are not
    simulated are opened, and of simulated ones the name and the tools are checked.

    Parameters
    ----------
    urls : sequence of str
        Boards, as `tensorspin.Board.open` takes them. A URL that is repeated counts once.

    Raises
    ------
    TensorspinError
        If a board cannot be opened.
    ValueError
        If a board has no contractor.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._stack = ExitStack()
        self._boards: dict[str, Board | None] = {}
        try:
            for url in dict.fromkeys(urls):
                self._boards[url] = self._opened_at_once(url)
        except BaseException:
            self._stack.close()
            raise

    def _opened_at_once(self, url: str) -> Board | None:
        """Open a board that takes no time to open; check any other, and return None."""
        if url.lower().startswith("sim://"):
            check_virtual(url).require_contractor()
            return None
        board = self._stack.enter_context(Board.open(url))
        board.info.require_contractor()
        return board

    def in_turn(self) -> Iterator[tuple[str, Board]]:
        """Give each board with its URL, in the order of the URLs.

        Yields
        ------
        url : str
            The URL.
        board : Board
            The open board.

        Raises
        ------
        TensorspinError
            If a simulator cannot be compiled.
        """
        with ThreadPoolExecutor(1) as compiler:
            coming = {
                url: compiler.submit(Board.open, url)
                for url, board in self._boards.items()
                if board is None
            }
            try:
                for url, board in self._boards.items():
                    if board is None:
                        board = self._stack.enter_context(coming.pop(url).result())
                    yield url, board
            finally:
                for future in coming.values():
                    # One that is compiled now cannot be cancelled, and is closed when it is open.
                    future.cancel()
                    future.add_done_callback(_close)

    def __enter__(self) -> Boards:
        return self

    def __exit__(self, *exception) -> None:
        self._stack.close()


def _close(future: Future[Board]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
