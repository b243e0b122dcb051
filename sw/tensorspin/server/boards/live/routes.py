"""The HTTP side of the live page."""

# Without `from __future__ import annotations`: FastAPI reads the annotations of the routes.
import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from ....errors import BoardBusyError, TensorspinError
from ....progress import without_bars
from ...answers import json_answer
from ...refusal import Refusal
from .boards import PageBoards
from .limits import DEADLINES, INK, SIDE, SIZES

if TYPE_CHECKING:  # at run time when an application is made, and when something is asked
    import fastapi

    from .digits import Digits
    from .tasks import Slider

PAGE = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js"}
"""Files of the page by their paths, which need no token: they hold nothing that is secret."""

LIVE = "/v1/live"
"""Path below which the page asks."""

MOST_BYTES = 4096
"""Most bytes of what the page sends."""

_AT_ONCE = 8
"""Most visitors that are computed for at once; others wait a moment."""

_TYPES = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}

_HEADERS = {
    # The page loads nothing from other hosts, and no other page may show it in a frame.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Live:
    """What the page asks.

    Parameters
    ----------
    boards : PageBoards
        The boards.
    """

    def __init__(self, boards: PageBoards) -> None:
        self.boards = boards
        self._threads = ThreadPoolExecutor(_AT_ONCE, "tensorspin-live")

    @cached_property
    def digits(self) -> "Digits":
        """The classifier of digits, whose libraries are imported when it is first asked for."""
        from .digits import Digits

        return Digits()

    @cached_property
    def slider(self) -> "Slider":
        """The task of the slider, likewise."""
        from .tasks import Slider

        return Slider()

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run something that takes a while on a thread, and tell its errors as refusals.

        Parameters
        ----------
        work : callable
            What to run.

        Returns
        -------
        object
            What it returns.

        Raises
        ------
        Refusal
            If the board is busy (503), lost (502), or does not hold what is asked for (422).
        """

        def quiet() -> Any:
            with without_bars():
                return work()

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, quiet)
        except BoardBusyError as error:
            raise Refusal(503, "busy", str(error), error.retry_after or 1.0) from error
        except TensorspinError as error:
            raise Refusal(502, "board", str(error)) from error
        except ValueError as error:
            raise Refusal(422, "request", str(error)) from error


def add_page(app: "fastapi.FastAPI", live: Live) -> None:
    """Add the page and what it asks to an application.

    Parameters
    ----------
    app : fastapi.FastAPI
        The application.
    live : Live
        What the page asks.
    """
    for path, name in PAGE.items():
        _add_file(app, path, name)
    _add_choices(app, live)
    _add_digits(app, live)
    _add_anneals(app, live)
    _add_slider(app, live)


def _add_file(app: "fastapi.FastAPI", path: str, name: str) -> None:
    import fastapi

    content = resources.files(__package__).joinpath(name).read_bytes()
    kind = _TYPES[name.rpartition(".")[2]]

    @app.get(path, include_in_schema=False)
    async def give() -> fastapi.Response:
        return fastapi.Response(content, headers=_HEADERS, media_type=kind)


def _add_choices(app: "fastapi.FastAPI", live: Live) -> None:
    import fastapi

    def known() -> dict[str, Any]:
        from ....contract.device.boards import BOARDS
        from ....feasibility.barriers.link import LINKS
        from ....hybrid import SNAPSHOTS

        return {
            "contractors": live.boards.names("contractor"),
            "annealers": live.boards.names("annealer"),
            "sizes": SIZES,
            "deadlines": DEADLINES,
            "links": {name: link.round_trip.text for name, link in LINKS.items()},
            "processors": {name: each.name for name, each in SNAPSHOTS.items()},
            "kinds": [name for name, row in BOARDS.items() if row.contractor is not None],
        }

    @app.get(LIVE)
    async def choices() -> fastapi.Response:
        """Tell what the page can ask for."""
        return json_answer(await live.run(known))


def _add_digits(app: "fastapi.FastAPI", live: Live) -> None:
    import fastapi
    from pydantic import BaseModel, ConfigDict, Field

    ink = Annotated[float, Field(ge=0, le=INK, allow_inf_nan=False)]

    class Drawing(BaseModel):
        model_config = ConfigDict(extra="forbid")

        board: str
        pixels: list[ink] = Field(min_length=SIDE * SIDE, max_length=SIDE * SIDE)

    @app.get(LIVE + "/digits")
    async def examples() -> fastapi.Response:
        """Give images that the network was not trained with."""
        return json_answer({"examples": await live.run(lambda: live.digits.examples())})

    @app.post(LIVE + "/digits")
    async def classify(drawing: Drawing) -> fastapi.Response:
        """Classify a drawing on a board."""

        def work() -> dict[str, Any]:
            board = live.boards.open(drawing.board, "contractor")
            return live.digits.classify(board, np.array(drawing.pixels))

        return json_answer(await live.run(work))


def _add_anneals(app: "fastapi.FastAPI", live: Live) -> None:
    import fastapi
    from fastapi.responses import StreamingResponse
    from pydantic import BaseModel, ConfigDict, Field

    class Anneal(BaseModel):
        model_config = ConfigDict(extra="forbid")

        board: str
        kind: Literal["graph", "knapsack"]
        size: int = Field(ge=1, le=1000)
        seed: int = Field(0, ge=0, le=2**31 - 1)

    @app.post(LIVE + "/anneals")
    async def anneal(asked: Anneal) -> fastapi.Response:
        """Anneal a problem, and tell of each stage in a line of JSON."""
        least, most = SIZES[asked.kind]
        if not least <= asked.size <= most:
            raise Refusal(422, "size", f"size must be {least} to {most}, not {asked.size}")

        def begin() -> Any:
            from . import anneals

            board = live.boards.open(asked.board, "annealer")
            puzzle = anneals.make_puzzle(asked.kind, asked.size, asked.seed)
            return puzzle, anneals.watch(board, puzzle, asked.seed)

        puzzle, stages = await live.run(begin)

        async def lines() -> AsyncIterator[bytes]:
            yield json.dumps({"kind": asked.kind, "drawing": puzzle.drawing}).encode() + b"\n"
            try:
                while (stage := await live.run(lambda: next(stages, None))) is not None:
                    yield json.dumps(stage).encode() + b"\n"
            except Refusal as refusal:  # the answer has begun, so that this is its last line
                yield refusal.body + b"\n"

        return StreamingResponse(lines(), headers=_HEADERS, media_type="application/x-ndjson")


def _add_slider(app: "fastapi.FastAPI", live: Live) -> None:
    import fastapi
    from pydantic import BaseModel, ConfigDict, Field

    class Asked(BaseModel):
        model_config = ConfigDict(extra="forbid")

        deadline: float = Field(ge=DEADLINES[0], le=DEADLINES[1], allow_inf_nan=False)
        link: str = "lan"
        processor: str = "boston"
        board: str = "icebreaker"

    @app.post(LIVE + "/feasibility")
    async def judge(asked: Asked) -> fastapi.Response:
        """Say whether a board or a quantum processor answers in time."""
        return json_answer(
            await live.run(
                lambda: live.slider.judge(asked.deadline, asked.link, asked.processor, asked.board)
            )
        )
