"""What becomes of a model on a board."""

import tracemalloc
from dataclasses import replace

import dimod
import pytest

from tensorspin.contract.annealer.size import COUPLING_BITS, AnnealerSize
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.data.model_files import Model, read_model
from tensorspin.errors import CapacityError
from tensorspin.feasibility.models import estimate_model, estimate_widths
from tensorspin.sampling.quantise import quantise_model

from ..support.annealer_boards import SIZE

ROW = replace(find_board("ulx3s_25f_annealer"), engines=Engines(SIZE))


def model_of(bqm):
    return Model("model", bqm, "energy")


def test_widths_lose_what_quantising_loses():
    bqm = dimod.generators.uniform(10, "SPIN", low=-1.0, high=1.0, seed=1)
    widths = estimate_widths(model_of(bqm), SIZE)
    least, most = COUPLING_BITS
    assert [width.bits for width in widths] == list(range(least, most + 1))
    errors = [width.relative_error for width in widths]
    assert errors == sorted(errors, reverse=True)
    own = next(width for width in widths if width.bits == SIZE.coupling_bits)
    expected = quantise_model(bqm, list(bqm.variables), SIZE).relative_error
    assert own.relative_error == expected > 0
    assert own.greatest == SIZE.coupling.maximum
    assert own.spins == SIZE.spins


def test_exact_from_the_width_of_the_weights_on():
    bqm = dimod.BinaryQuadraticModel({}, {(0, 1): 5, (1, 2): 1}, "SPIN")
    exact = [
        width.bits for width in estimate_widths(model_of(bqm), SIZE) if not width.relative_error
    ]
    _, most = COUPLING_BITS
    assert exact == list(range((5).bit_length() + 1, most + 1))


def test_memory_holds_fewer_spins_at_greater_widths():
    bqm = dimod.BinaryQuadraticModel({}, {(0, 1): 1}, "SPIN")
    for width in estimate_widths(model_of(bqm), SIZE):
        rows = (SIZE.spins + SIZE.offset_rows) / SIZE.spins
        bits = SIZE.spins**2 * rows * SIZE.coupling_bits
        assert (
            width.spins**2 * rows * width.bits <= bits < (width.spins + 1) ** 2 * rows * width.bits
        )


@pytest.mark.parametrize("variables", [SIZE.spins, SIZE.spins + 1])
def test_more_variables_than_spins(tmp_path, variables):
    path = tmp_path / "ring.txt"
    edges = [f"{n + 1} {(n + 1) % variables + 1} 1" for n in range(variables)]
    path.write_text("\n".join([f"{variables} {variables}", *edges]))
    found = estimate_model(path, ROW)
    fits, rows = found.fits, found.rows()
    assert fits == (variables <= SIZE.spins)
    assert ("DecomposingSampler" in rows[0][1]) == (not fits)
    built = [text for _, text in rows if "this board" in text]
    assert len(built) == 1
    assert "exact" in built[0]


@pytest.mark.parametrize("variables", [128, 129])
def test_boards_with_other_widths_are_named(tmp_path, variables):
    path = tmp_path / "ring.txt"
    path.write_text(f"{variables} 2\n1 2 100\n2 3 1\n")
    found = estimate_model(path, find_board("ulx3s_25f_annealer"))
    texts = dict(found.rows())
    assert ("icebreaker_annealer_8bit (128)" in texts["couplings of 8 bits"]) == (variables == 128)
    assert texts["couplings of 5 bits"].endswith("spins")
    assert texts["couplings of 4 bits"].endswith("spins, this board")
    five, eight = found.widths[3], found.widths[6]
    assert found.boards(five) == {}
    assert ("icebreaker_annealer_8bit" in found.boards(eight)) == (variables == 128)


def test_fields_that_do_not_fit(tmp_path):
    narrow = AnnealerSize(64, 4, 5, 10, (1,) * 4, 32, 64)
    leaves = narrow.field.maximum + 1
    path = tmp_path / "star.txt"
    path.write_text(f"{leaves + 1} {leaves}\n" + "".join(f"1 {n + 2} 1\n" for n in range(leaves)))
    found = estimate_model(path, replace(ROW, engines=Engines(narrow)))
    rows = found.rows()
    assert not found.fits
    assert any("local fields do not fit" in text and "this board" in text for _, text in rows)
    assert "exact" in rows[-1][1]


def test_board_without_annealer(tmp_path):
    with pytest.raises(ValueError, match="'icebreaker' has no annealer, which minimises models"):
        estimate_model(tmp_path / "any", find_board("icebreaker"))


@pytest.mark.parametrize("edges", [1, 12_432])
def test_a_model_too_large_for_every_board_takes_no_memory(tmp_path, edges):
    path = tmp_path / "huge.txt"
    lines = "".join(f"{n + 1} {n + 2} 1\n" for n in range(edges))
    path.write_text(f"20000 {edges}\n{lines}")
    tracemalloc.start()
    found = estimate_model(path, find_board("ulx3s_25f_annealer"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000  # a full matrix would take gigabytes
    assert not found.fits and found.widths == []
    assert found.rows()[0][1] == (
        "20000 of 256: no board holds it, ulx3s_85f_annealer has most with 1000; it is solved in "
        "parts, by DecomposingSampler"
    )
    with pytest.raises(CapacityError, match="20000 needed, the device holds 1000; .*Decomposing"):
        estimate_widths(read_model(path), find_board("ulx3s_25f_annealer").require_annealer())


def test_boards_that_would_hold_a_model_are_named(tmp_path):
    path = tmp_path / "ring.txt"
    path.write_text("900 1\n1 2 1\n")
    found = estimate_model(path, find_board("ulx3s_25f_annealer"))
    assert not found.fits and len(found.widths) == 7
    assert (
        "900 of 256: ulx3s_85f_annealer (1000) would hold it; here it is solved in parts"
        in (found.rows()[0][1])
    )
