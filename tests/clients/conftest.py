"""Controllers that run the drivers, and what is at the end of their wires."""

import pytest

from tensorspin.export.model import ClientModel

from ..support import cross, firmware
from ..support.controllers import GoldenWires, PinWires
from .micropython import ROW, Controller


@pytest.fixture(params=["CPython", "MicroPython"])
def connect(request):
    """Connect a controller with wires."""
    controllers = []

    def make(wires=None):
        controllers.append(Controller(request.param, GoldenWires(ROW) if wires is None else wires))
        return controllers[-1]

    yield make
    for controller in controllers:
        controller.close()


@pytest.fixture
def pins():
    """Wires that end at the simulated pins of the gateware."""
    module = pytest.importorskip("tensorspin_gateware.simulation.pins")

    def load():
        try:
            return module.load(ROW.name, 20e6)
        except RuntimeError as error:
            pytest.skip(str(error))

    wires = PinWires(load)
    yield wires
    wires.pins.close()


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that compiles the firmware, with a part of its source replaced."""
    pytest.importorskip("unicorn", reason="pip install '.[mcu]'")
    try:
        cross.command()
    except cross.NoCompiler as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("firmware")
    model = ClientModel(firmware.PROGRAM, firmware.BOARD)
    return lambda old="", new="": firmware.build(folder, model, firmware.READINGS, old, new)
