"""What the live page asks: values are those of the boards, and what cannot be is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.contract.device.boards import find_board
from tensorspin.server.boards.live import anneals, routes
from tensorspin.server.boards.live.digits import Digits
from tensorspin.server.boards.live.tasks import Slider

FOLDER = Path(routes.__file__).parent


@pytest.fixture(scope="module")
def digits():
    return Digits(bond_dim=4, epochs=12)


@pytest.fixture(scope="module")
def contractor():
    with Board.open("golden://icebreaker") as board:
        yield board


@pytest.fixture(scope="module")
def annealer():
    with Board.open("golden://ulx3s_25f_both") as board:
        yield board


# The digit


def test_scores_and_cycles_are_those_of_the_program(digits, contractor):
    model, program, accuracy, _ = digits._trained
    for pixels in np.array(digits.examples()[:3], dtype=float):
        told = digits.classify(contractor, pixels)
        golden = program.run_golden(pixels[np.newaxis])
        assert told["scores"] == golden.scores[0].tolist()
        assert told["digit"] == program.classes[golden.classes[0]]
        size = find_board("icebreaker").require_contractor()
        assert told["cycles"] == program.cycles(size.lanes, size.latencies) and accuracy > 0.8
        assert sum(told["shares"]) == pytest.approx(1, abs=1e-4)


def test_entanglement_is_the_networks_until_something_is_drawn_and_less_then(digits):
    model = digits._trained[0]
    nothing = digits.entanglement(np.zeros(64))
    np.testing.assert_allclose(nothing["entanglement"], model.entanglement_entropy(), atol=1e-6)
    assert nothing["entanglement"] == nothing["entanglement_before"]
    everything = digits.entanglement(np.full(64, 16.0))
    # Pixels that are all read share nothing but the label's part with what is left open.
    assert max(everything["entanglement"]) < 1e-6
    half = digits.entanglement(np.where(np.arange(64) < 16, 8.0, 0.0))
    assert max(half["entanglement"][:16]) < 1e-6 < max(half["entanglement"][16:])


# The annealer


def test_a_cut_is_the_energy_of_its_state():
    puzzle = anneals.cut_graph(12, seed=3)
    rng = np.random.default_rng(0)
    for state in rng.integers(0, 2, (5, 12)):
        energy = puzzle.bqm.energy((state, range(12)))
        assert energy == -puzzle.judge(state)["cut"]
    edges = puzzle.drawing["edges"]
    assert puzzle.judge(np.zeros(12, int)) == {"cut": 0, "edges": len(edges)}
    assert all(0 <= x <= 1 for place in puzzle.drawing["places"] for x in place)


def test_a_knapsack_that_is_too_heavy_is_told_and_dear():
    puzzle = anneals.pack_knapsack(8, seed=1)
    everything, nothing = np.ones(8, int), np.zeros(8, int)
    assert not puzzle.judge(everything)["fits"] and puzzle.judge(nothing)["fits"]
    states = np.array([[number >> bit & 1 for bit in range(8)] for number in range(256)])
    best = states[puzzle.bqm.energies((states, range(8))).argmin()]
    fits = [puzzle.judge(state) for state in states]
    most = max(told["value"] for told in fits if told["fits"])
    assert puzzle.judge(best)["fits"] and puzzle.judge(best)["value"] >= 0.8 * most


@pytest.mark.parametrize(("kind", "size"), [("graph", 14), ("knapsack", 10)])
def test_an_anneal_ends_near_the_best_state(annealer, kind, size):
    puzzle = anneals.make_puzzle(kind, size, 1)
    stages = list(anneals.watch(annealer, puzzle, seed=0))
    assert [stage["stage"] for stage in stages] == list(range(1, anneals.STAGES + 1))
    states = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    lowest = puzzle.bqm.energies((states, range(size))).min()
    first, last = stages[0], stages[-1]
    assert lowest - 1e-3 <= last["lowest"] <= lowest + 0.05 * abs(lowest) + 1
    assert last["mean"] < first["mean"] and last["cycles"] > first["cycles"] > 0
    assert last["told"] == puzzle.judge(np.array(last["state"]))
    assert puzzle.bqm.energy((last["state"], range(size))) == pytest.approx(
        last["energy"], abs=1e-4
    )
    assert last["told"].get("fits", True)


# The slider


def test_a_deadline_decides_between_board_both_and_none():
    slider = Slider()
    asked = {"link": "lan", "noise": "boston", "board": "icebreaker"}
    short, long = slider.judge(1e-5, **asked), slider.judge(10.0, **asked)
    assert short["answer"] == "not feasible" and not short["board"]["in_time"]
    assert long["board"]["in_time"] and long["processor"]["in_time"] == 1.0
    assert short["processor"]["in_time"] == 0.0
    assert long["board"]["seconds"] == short["board"]["seconds"] < long["processor"]["median"]
    names = {each["name"] for each in long["barriers"]}
    assert names == {"latency", "noise", "encoding", "tooling", "energy"}
    lte = slider.judge(10.0, "lte", "boston", "icebreaker")
    assert lte["processor"]["median"] > long["processor"]["median"]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"link": "string"}, "link must be"), ({"noise": "x"}, "noise"), ({"board": "y"}, "board")],
)
def test_what_the_slider_does_not_know_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Slider().judge(1.0, **{"link": "lan", "noise": "boston", "board": "icebreaker", **change})


# Over HTTP


def test_the_page_needs_no_token_and_loads_nothing_from_elsewhere(server):
    for path, name in routes.PAGE.items():
        status, headers, content = server.ask("GET", path, token="")
        assert status == 200 and content == (FOLDER / name).read_text(encoding="utf-8")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", content)
    assert server.ask("GET", routes.LIVE, token="")[0] == 401


def test_the_page_takes_turns_with_others(server, opened):
    board = opened()
    pixels = [0.0] * 64
    with board.exclusive():
        told = server.ask("GET", routes.LIVE)[2]
        assert told["contractors"] == ["icebreaker", "ulx3s_25f_both"]
        assert told["annealers"] == ["icebreaker_annealer", "ulx3s_25f_both"]
    status, _, told = server.ask(
        "POST", f"{routes.LIVE}/digits", {"board": "icebreaker", "pixels": pixels}
    )
    assert status == 200 and len(told["scores"]) == 10 and told["entanglement"]
    clients = server.ask("GET", "/v1/boards/icebreaker")[2]["clients"]
    assert clients == 2
    turns = 'tensorspin_board_turns_total{board="icebreaker",end="given back"}'
    assert server.metric(turns) >= 2


def test_an_anneal_comes_line_by_line(server):
    asked = {"board": "icebreaker_annealer", "kind": "graph", "size": 10, "seed": 2}
    status, headers, text = server.ask("POST", f"{routes.LIVE}/anneals", asked)
    first, *stages = map(json.loads, text.splitlines())
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    assert len(first["drawing"]["places"]) == 10 and len(stages) == anneals.STAGES
    with Board.open("golden://icebreaker_annealer") as here:
        assert stages == list(anneals.watch(here, anneals.cut_graph(10, 2), 2))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("digits", {"board": "icebreaker", "pixels": [0] * 63}, 422),
        ("digits", {"board": "icebreaker", "pixels": [17] * 64}, 422),
        ("digits", {"board": "icebreaker_annealer", "pixels": [0] * 64}, 404),
        ("digits", {"board": "nexys", "pixels": [0] * 64}, 404),
        ("anneals", {"board": "icebreaker", "kind": "graph", "size": 10}, 404),
        ("anneals", {"board": "icebreaker_annealer", "kind": "sudoku", "size": 10}, 422),
        ("anneals", {"board": "icebreaker_annealer", "kind": "graph", "size": 61}, 422),
        ("feasibility", {"deadline": 0}, 422),
        ("feasibility", {"deadline": 1, "link": "string"}, 422),
        ("feasibility", {"deadline": 1, "unknown": 1}, 422),
        ("digits", "x" * 5000, 413),
        ("digits", "{}", 415),
    ],
)
def test_what_cannot_be_is_refused(server, path, body, status):
    assert server.ask("POST", f"{routes.LIVE}/{path}", body)[0] == status


def test_there_need_be_no_page(tmp_path):
    from ...support.servers import RunningBoards

    running = RunningBoards(tmp_path, "--no-page", clear=True)
    assert running.ask("GET", "/")[0] == 404 and running.ask("GET", "/v1/boards")[0] == 200
    running.stop()


def luminance(colour):
    channels = [int(colour[first : first + 2], 16) / 255 for first in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_colours_can_be_told_apart_in_both_schemes():
    style = (FOLDER / "page.css").read_text()
    schemes = re.findall(r":root \{([^}]*)\}", style)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = {
            name: value if len(value) == 7 else "#" + "".join(2 * each for each in value[1:])
            for name, value in re.findall(r"--([\w-]+): (#\w+)", scheme)
        }
        pairs = [
            (text, back)
            for text in ("ink", "soft", "good", "bad", "warm", "accent")
            for back in ("paper", "card")
        ] + [("on-accent", "accent"), ("ink", "faint")]
        for text, back in pairs:
            light, dark = sorted((luminance(colours[text]), luminance(colours[back])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, back)
