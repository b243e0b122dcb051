"""An RP2040, as far as a driver over SPI needs it, with the strictness of the real one.

unicorn executes the firmware's instructions; each takes one cycle, which is the least that a real
core needs. SPI0 is modelled as its data sheet (ARM PL022, RP2040 section 4.4) describes it: nothing
works before resets are released, the clock is enabled, pins have their function and the controller
its format, and what a real chip would do wrong silently is reported (`FirmwareError`).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

from .elf import Elf

CPU_HZ = 125_000_000
"""Frequency of the cores and of the peripherals' clock: the SDK's default."""

FLASH, RAM = (0x10000000, 0x200000), (0x20000000, 0x42000)
RESETS, CLOCKS, IO_BANK, SPI0, TIMER, SIO, MAIL = (
    *(0x4000C000, 0x40008000, 0x40014000, 0x4003C000, 0x40054000, 0xD0000000),
    0x60000000,
)
CLEAR_ALIAS, SET_ALIAS = 0x3000, 0x2000
RX, CS, SCK, TX, IRQ = 16, 17, 18, 19, 20
FUNCTION_SPI, FUNCTION_SIO = 1, 5
RESET_PINS, RESET_SPI0, CLOCK_ENABLE = 1 << 5, 1 << 16, 1 << 11
FIFO = 8


class FirmwareError(AssertionError):
    """The firmware does what does not work on a real chip."""


class PL022:
    """The SPI controller: registers, FIFOs, and bytes on the wires at their times.

    Parameters
    ----------
    chip : RP2040
        The chip that it is in.
    """

    def __init__(self, chip):
        self.chip = chip
        self.control0 = self.control1 = self.prescale = 0
        self.incoming: deque[tuple[float, int]] = deque()
        self.under_way: deque[float] = deque()  # when the bytes of the outgoing FIFO are sent
        self.free = 0.0

    def _check(self):
        chip = self.chip
        if not chip.released & RESET_SPI0:
            raise FirmwareError("SPI0 is used while it is held in reset")
        if not chip.clock_enabled:
            raise FirmwareError("SPI0 is used without its clock (CLK_PERI_CTRL)")

    def _check_format(self):
        self._check()
        if not self.control1 & 2:
            raise FirmwareError("data are written while SPI0 is not enabled (SSPCR1.SSE)")
        if self.control1 & 4:
            raise FirmwareError("SPI0 is a peripheral (SSPCR1.MS), not the controller")
        if (bits := (self.control0 & 15) + 1) != 8:
            raise FirmwareError(f"SPI0 sends frames of {bits} bits, not 8")
        if self.control0 >> 4 & 3:
            raise FirmwareError("SPI0 has not Motorola's frame format")
        if self.control0 >> 6 & 3:
            raise FirmwareError(f"SPI0 is in mode {self.control0 >> 6 & 3:02b} (SPO, SPH), not 0")
        if self.prescale < 2 or self.prescale & 1:
            raise FirmwareError(f"the prescaler must be an even number from 2, not {self.prescale}")
        for pin in (RX, SCK, TX):
            if self.chip.functions.get(pin) != FUNCTION_SPI:
                raise FirmwareError(f"pin {pin} has not the function SPI")

    @property
    def sck_hz(self):
        return CPU_HZ / (self.prescale * (1 + (self.control0 >> 8 & 0xFF)))

    def read(self, offset):
        self._check()
        now = self.chip.now
        while self.under_way and self.under_way[0] <= now:
            self.under_way.popleft()
        here = bool(self.incoming) and self.incoming[0][0] <= now
        if offset == 0x8:
            if not here:
                raise FirmwareError("data are read though none have come")
            return self.incoming.popleft()[1]
        if offset == 0xC:
            waiting = max(0, len(self.under_way) - 1)  # one is in the shifter
            return (
                (waiting == 0)
                | (waiting < FIFO) << 1
                | here << 2
                | (len(self.incoming) >= FIFO) << 3
                | bool(self.under_way) << 4
            )
        return {0: self.control0, 4: self.control1, 0x10: self.prescale}.get(offset, 0)

    def write(self, offset, value):
        self._check()
        if offset == 0x8:
            self._check_format()
            if len(self.under_way) > FIFO:
                raise FirmwareError("data are written to a full FIFO")
            start = max(self.chip.now, self.free)
            byte = self.chip.byte(value & 0xFF, start, self.sck_hz)
            self.free = start + 8 / self.sck_hz
            self.under_way.append(self.free)
            self.incoming.append((self.free, byte))
            if len(self.incoming) > FIFO + 1:
                raise FirmwareError("the FIFO of what comes in overflows")
        elif offset == 0:
            self.control0 = value
        elif offset == 4:
            self.control1 = value
        elif offset == 0x10:
            self.prescale = value
        else:
            raise FirmwareError(f"SPI0 has no register {offset:#x} that is modelled")


class RP2040:
    """One core with its flash, at the pins of a board.

    Parameters
    ----------
    firmware : Path
        ELF file.
    pins : VirtualPins
        Pins of the board, whose SCK has the frequency that the firmware sets.

    Attributes
    ----------
    words : list of int
        What the firmware has written to the mailbox.
    marks : list of (int, float, int)
        Marks of the firmware: value, seconds, instructions so far.
    wires : list of (str, float, float, int)
        What happened on the wires: ``"COPI"`` and ``"CIPO"`` with begin, end and byte; ``"CS#"``
        and ``"IRQ"`` with the time (twice) from which they have a level, as the firmware sees it.
    """

    def __init__(self, firmware: Path, pins):
        import unicorn
        from unicorn import arm_const

        self.pins = pins
        self.words: list[int] = []
        self.marks: list[tuple[int, float, int]] = []
        self.wires: list[tuple[str, float, float, int]] = []
        self.status: int | None = None
        self.instructions = 0
        self.waited = 0.0  # seconds in which the core was held by the model of the wires
        self.released, self.clock_enabled = 0, False
        self.functions: dict[int, int] = {}
        self.outputs = 0
        self.spi = PL022(self)
        self._begin = pins.now()
        self._error: BaseException | None = None
        self._uc = uc = unicorn.Uc(
            unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        )
        uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M0)
        for base, size in (FLASH, RAM):
            uc.mem_map(base, size)
        for address, content in Elf.read(firmware).segments:
            uc.mem_write(address, content)
        for base in (RESETS, CLOCKS, IO_BANK, SPI0, TIMER, SIO, MAIL):
            size = 0x4000 if base < SIO else 0x1000
            uc.mmio_map(base, size, self._reader(base), None, self._writer(base), None)
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)
        self._stack = arm_const.UC_ARM_REG_SP

    @property
    def now(self) -> float:
        """Seconds since the reset."""
        return self.instructions / CPU_HZ + self.waited

    def run(self, most_instructions=200_000_000):
        """Execute from the reset to the end; return the status that the firmware tells."""
        stack, reset = (
            int.from_bytes(self._uc.mem_read(FLASH[0] + at, 4), "little") for at in (0, 4)
        )
        self._uc.reg_write(self._stack, stack)
        self._uc.emu_start(reset | 1, 0xFFFFFFFF, count=most_instructions)
        if self._error is not None:
            raise self._error
        if self.status is None:
            raise FirmwareError("the firmware does not end")
        return self.status

    def stack_bytes(self) -> int:
        """Bytes of the stack that the firmware has used, from the end of the memory downwards."""
        memory = bytes(self._uc.mem_read(*RAM))
        return len(memory) - memory.rindex(bytes(1024)) - 1024

    def byte(self, byte, start, sck_hz):
        """Exchange a byte on the wires, from a moment on."""
        if abs(sck_hz - self.pins.sck_hz) > 1e-3 * sck_hz:
            raise FirmwareError(f"SCK has {sck_hz:g} Hz; the wires are simulated at another rate")
        self._advance(start)
        (received,) = self.pins.transfer(bytes([byte]))
        end = start + 8 / sck_hz
        self.wires += [("COPI", start, end, byte), ("CIPO", start, end, received)]
        return received

    def _advance(self, until):
        ahead = until - (self.pins.now() - self._begin)
        if ahead > 0:
            self.pins.wait(ahead)

    def _block(self, uc, address, size, _):
        self.instructions += size // 2

    def _stop(self, error):
        self._error = self._error or error
        self._uc.emu_stop()

    def _reader(self, base):
        def read(uc, offset, size, _):
            try:
                return self._read(base, offset)
            except BaseException as error:  # unicorn would lose it
                self._stop(error)
                return 0

        return read

    def _writer(self, base):
        def write(uc, offset, size, value, _):
            try:
                self._write(base, offset, value)
            except BaseException as error:
                self._stop(error)

        return write

    def _read(self, base, offset):
        if base == SPI0:
            return self.spi.read(offset)
        if base == TIMER and offset == 0x28:
            return int(self.now * 1e6) & 0xFFFFFFFF
        if base == RESETS and offset == 8:
            return self.released
        if base == SIO and offset == 4:
            if self.functions.get(IRQ) != FUNCTION_SIO:
                raise FirmwareError(f"pin {IRQ} has not the function SIO")
            self._advance(self.now)
            level = self.pins.irq
            self.wires.append(("IRQ", self.now, self.now, int(level)))
            return level << IRQ
        raise FirmwareError(f"register {base + offset:#x} is read, which is not modelled")

    def _write(self, base, offset, value):
        if base == SPI0:
            self.spi.write(offset, value)
        elif base == RESETS and offset == CLEAR_ALIAS:
            self.released |= value
        elif base == CLOCKS and offset == 0x48:
            self.clock_enabled = bool(value & CLOCK_ENABLE)
        elif base == IO_BANK and offset % 8 == 4:
            if not self.released & RESET_PINS:
                raise FirmwareError("pins are set up while they are held in reset")
            self.functions[offset // 8] = value & 31
        elif base == SIO and offset in (0x14, 0x18):
            self._select(value, offset == 0x18)
        elif base == SIO and offset == 0x24:
            self.outputs |= value
        elif base == MAIL and offset == 0:
            self.status = value - (1 << 32) if value >> 31 else value
            self._uc.emu_stop()
        elif base == MAIL and offset == 4:
            self.marks.append((value, self.now, self.instructions))
        elif base == MAIL and offset == 8:
            self.words.append(value)
        else:
            raise FirmwareError(f"register {base + offset:#x} is written, which is not modelled")

    def _select(self, value, low):
        """Drive CS#; it must not end a transaction in which bytes are still under way."""
        if not value >> CS & 1:
            return
        if self.outputs >> CS & 1 and self.functions.get(CS) == FUNCTION_SIO:
            if not low and self.spi.free > self.now:
                raise FirmwareError("CS# ends the transaction while a byte is under way")
            self._advance(self.now)
            self.pins.select(low)
            self.wires.append(("CS#", self.now, self.now, int(not low)))
        elif low:
            raise FirmwareError(f"CS# is driven, but pin {CS} is no output of SIO")
