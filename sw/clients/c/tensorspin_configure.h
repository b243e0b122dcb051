/* Load a bitstream into an iCE40 from a microcontroller, so that the board needs no flash of its own.
 *
 * The FPGA is configured as an SPI peripheral, by Lattice's guide "iCE40 Programming and Configuration"
 * (FPGA-TN-02001, formerly TN1248): SCK of 1 to 25 MHz, most significant bit first, in mode 0 or 3.
 * CDONE needs its pull-up, and no other chip may answer on the wires meanwhile: on most boards a flash
 * has the same chip select.
 */
#ifndef TENSORSPIN_CONFIGURE_H
#define TENSORSPIN_CONFIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    TENSORSPIN_CONFIGURED = 0,
    TENSORSPIN_NO_BITSTREAM = -101,   /* it does not begin like one of an iCE40 */
    TENSORSPIN_CDONE_HIGH = -102,     /* in spite of the reset: is CRESET_B wired? */
    TENSORSPIN_CDONE_LOW = -103       /* after the bitstream: wrong FPGA, damaged bits, or SCK too fast */
} tensorspin_configure_error;

/* Levels are those of the pins: true is high. */
typedef struct {
    void (*write)(void *context, const uint8_t *bytes, size_t n); /* clock bytes out; leave SPI_SS_B alone */
    void (*select)(void *context, bool level);                    /* SPI_SS_B */
    void (*reset)(void *context, bool level);                     /* CRESET_B */
    bool (*done)(void *context);                                  /* CDONE */
    void (*wait)(void *context, uint32_t microseconds);           /* at least so long */
    void *context;
} tensorspin_configure_port;

/* Reset the FPGA, load a bitstream (the file .bin of `make bitstream`), and let the design begin. The
 * board can be greeted at once. After an error the FPGA has no design; it may be tried again. */
int tensorspin_configure(const tensorspin_configure_port *port, const uint8_t *bitstream, size_t size);

#ifdef __cplusplus
}
#endif
#endif
