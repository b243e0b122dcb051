/* What the parts of the driver share; programs need tensorspin.h alone. */
#ifndef TENSORSPIN_LINK_H
#define TENSORSPIN_LINK_H

#include "tensorspin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tries of a request: of one with 250 bytes, a quarter arrives on a line that damages 5 in 1,000. Repairs
 * without an answer in between; uploads to a device that is reset meanwhile. */
enum { TENSORSPIN_TRIES = 32, TENSORSPIN_REPAIRS = 16, TENSORSPIN_UPLOADS = 4 };

/* Places in the body of a reply: its status, and what follows. */
enum { TENSORSPIN_AT_CODE = TENSORSPIN_HEADER_BYTES, TENSORSPIN_AT_REPLY };

uint32_t tensorspin_get(const uint8_t *bytes, unsigned count);
void tensorspin_put(uint8_t *bytes, uint32_t value, unsigned count);
void tensorspin_clear(void *memory, size_t bytes);

/* Send a request with the next number. Its payload is the first bytes of `head`, then `data`. */
void tensorspin_send(tensorspin_device *device, uint8_t type, size_t head_bytes);

/* Look at the line, and take what has come. Returns whether so many cycles of the device have passed
 * since something was sent or has come, and nothing is under way. */
bool tensorspin_over(tensorspin_device *device, uint32_t cycles);

/* Cycles after which an answer is late. */
uint32_t tensorspin_patience(const tensorspin_device *device);

/* Send a request and wait for its reply, which then stands in the body. It is sent again, under the same
 * number or the one that the device expects, until it is answered. All of it is in one session. The next
 * request has no data. */
int tensorspin_ask(tensorspin_device *device, uint8_t type, size_t head_bytes);

/* Write bytes to a memory of the device. */
int tensorspin_write(tensorspin_device *device, uint8_t space, uint32_t address, const uint8_t *data,
                     uint32_t bytes);

/* Begin a session, unless there is one. */
int tensorspin_greet(tensorspin_device *device);

/* Ask for the counters, which then stand in the body; begin a session if there is none. */
int tensorspin_ask_status(tensorspin_device *device);

/* End all samples, after an error that none of them survives; the model is checked before the next. Returns
 * the error. (tensorspin_contractor.c) */
int tensorspin_give_up(tensorspin_device *device, int error);

#ifdef __cplusplus
}
#endif
#endif
