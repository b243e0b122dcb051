/* Configuration of an iCE40 as an SPI peripheral; the header says by which guide. */
#include "tensorspin_configure.h"

#define RESET_US 1       /* CRESET_B must be low for 200 ns */
#define CLEAR_US 1200    /* in which the FPGA clears its memory */
#define BEFORE_BYTES 1   /* 8 clocks with SPI_SS_B high, before the bitstream */
#define DONE_BYTES 13    /* CDONE rises within 100 clocks */
#define AFTER_BYTES 7    /* 49 clocks, until the pins are the design's */
#define SEARCHED 256     /* bytes of comments, in which the bitstream must begin */

static const uint8_t PREAMBLE[4] = {0x7E, 0xAA, 0x99, 0x7E};

static bool is_bitstream(const uint8_t *bytes, size_t size)
{
    for (size_t first = 0; first + 4 <= size && first < SEARCHED; first++) {
        size_t i = 0;
        while (i < 4 && bytes[first + i] == PREAMBLE[i]) i++;
        if (i == 4) return true;
    }
    return false;
}

static void clocks(const tensorspin_configure_port *port, size_t bytes)
{
    static const uint8_t zero = 0;
    for (size_t i = 0; i < bytes; i++) port->write(port->context, &zero, 1);
}

int tensorspin_configure(const tensorspin_configure_port *port, const uint8_t *bitstream, size_t size)
{
    void *context = port->context;
    if (!is_bitstream(bitstream, size)) return TENSORSPIN_NO_BITSTREAM;

    /* With SPI_SS_B high at the end of the reset, the FPGA would read its flash instead. */
    port->select(context, false);
    port->reset(context, false);
    port->wait(context, RESET_US);
    bool ignored = port->done(context);
    port->reset(context, true);
    port->wait(context, CLEAR_US);
    if (ignored || port->done(context)) {
        port->select(context, true);
        return TENSORSPIN_CDONE_HIGH;
    }

    port->select(context, true);
    clocks(port, BEFORE_BYTES);
    port->select(context, false);
    port->write(context, bitstream, size);
    port->select(context, true);

    for (size_t i = 0; i < DONE_BYTES && !port->done(context); i++) clocks(port, 1);
    if (!port->done(context)) return TENSORSPIN_CDONE_LOW;
    clocks(port, AFTER_BYTES);
    return TENSORSPIN_CONFIGURED;
}
