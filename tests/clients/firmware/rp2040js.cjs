// Runs a program of an RP2040 on rp2040js, whose pins are at the other end of stdin and stdout.
//
// node rp2040js.cjs IMAGE MOST_NANOSECONDS: IMAGE is the content of the flash. Each event is a message of 13
// bytes: a letter, the time in nanoseconds (float64) and a number (uint32). B, a byte on COPI, is answered by
// the byte on CIPO, and Q, a question for the interrupt, by its level (uint32 each); S is the level of CS#;
// M, W and E are what the firmware writes to its mailbox.
"use strict";
const fs = require("fs");
console.log = console.info = console.debug = console.error; // stdout has messages alone
const { RP2040 } = require("rp2040js");

const CPU_HZ = 125e6;
const [CS, IRQ] = [17, 20];
const GPIO_IN = 0x04;
const PAD_RESET = 0x56; // as the data sheet says: input enabled, pulled down; rp2040js begins otherwise

const chip = new RP2040();
const { clock, core, sio, spi, gpio } = chip;
chip.updateClocks = () => {}; // they are at CPU_HZ, as a boot stage leaves them; the firmware sets no PLL
let ended = false;

function tell(letter, number) {
  const message = Buffer.alloc(13);
  message.write(letter, 0, "ascii");
  message.writeDoubleLE(clock.nanos, 1);
  message.writeUInt32LE(number >>> 0, 9);
  fs.writeSync(1, message);
}

function ask(letter, number) {
  tell(letter, number);
  const reply = Buffer.alloc(4);
  for (let at = 0; at < 4; ) {
    const count = fs.readSync(0, reply, at, 4 - at, null);
    if (count === 0) process.exit(3); // the pins are gone
    at += count;
  }
  return reply.readUInt32LE(0);
}

// Bytes take their time on the wires.
let received = 0;
const sent = clock.createAlarm(() => spi[0].completeTransmit(received));
spi[0].onTransmit = (byte) => {
  if (spi[0].dataBits !== 8 || spi[0].spiMode !== 0 || !spi[0].enabled) {
    throw new Error("SPI0 is not enabled, or not in mode 0 with 8 bits");
  }
  received = ask("B", byte);
  sent.schedule(8e9 / spi[0].clockFrequency);
};

// The interrupt has a level only when somebody looks.
const readSIO = sio.readUint32.bind(sio);
sio.readUint32 = (offset) => {
  if (offset === GPIO_IN) gpio[IRQ].setInputValue(ask("Q", 0) !== 0);
  return readSIO(offset);
};
for (const pin of gpio) pin.padValue = PAD_RESET;
let level = true;
gpio[CS].addListener(() => {
  if (gpio[CS].outputEnable && gpio[CS].outputValue !== level) {
    level = gpio[CS].outputValue;
    if (level && spi[0].busy) throw new Error("CS# ends the transaction while a byte is under way");
    tell("S", level ? 1 : 0);
  }
});

// The mailbox, at an address where the chip has nothing.
chip.peripherals[0x60000] = {
  readUint32: () => 0,
  writeUint32Atomic(offset, value) {
    tell({ 0: "E", 4: "M", 8: "W" }[offset], value);
    ended = ended || offset === 0;
  },
};

chip.flash.set(fs.readFileSync(process.argv[2]));
core.VTOR = 0x10000000; // no boot stage
core.SP = chip.readUint32(core.VTOR);
core.PC = chip.readUint32(core.VTOR + 4) & ~1;
const most = Number(process.argv[3]);
while (!ended && clock.nanos < most) {
  const before = core.cycles;
  core.executeInstruction();
  clock.tick(((core.cycles - before) * 1e9) / CPU_HZ);
}
