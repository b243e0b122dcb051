/* Firmware of an RP2040 that drives a board: start-up, SPI0, the driver, and a model in flash.
 *
 * SPI0 is on the pins 16 (RX), 18 (SCK) and 19 (TX); CS# is pin 17 and the interrupt pin 20, both of them
 * plain pins. The tests read what it says from a mailbox, an address at which an RP2040 has nothing.
 */
#include "tensorspin.h"

#include "model.h"
#include "samples.h" /* SAMPLES, samples: levels or readings to classify */

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define RESETS_RESET_CLEAR REGISTER(0x4000c000u + 0x3000u)
#define RESETS_DONE REGISTER(0x4000c008u)
#define CLOCKS_PERIPHERAL REGISTER(0x40008048u)
#define PIN_CONTROL(pin) REGISTER(0x40014004u + 8u * (pin))
#define PINS_IN REGISTER(0xd0000004u)
#define PINS_SET REGISTER(0xd0000014u)
#define PINS_CLEAR REGISTER(0xd0000018u)
#define PINS_OUTPUT_SET REGISTER(0xd0000024u)
#define SPI_CONTROL0 REGISTER(0x4003c000u)
#define SPI_CONTROL1 REGISTER(0x4003c004u)
#define SPI_DATA REGISTER(0x4003c008u)
#define SPI_STATUS REGISTER(0x4003c00cu)
#define SPI_PRESCALE REGISTER(0x4003c010u)
#define TIMER_LOW REGISTER(0x40054028u)

#define MAIL_STATUS REGISTER(0x60000000u) /* ends the firmware */
#define MAIL_MARK REGISTER(0x60000004u)   /* begin (1) and end (0) of a sample */
#define MAIL_WORD REGISTER(0x60000008u)   /* words of results */

enum { RESET_PINS = 1 << 5, RESET_SPI0 = 1 << 16, CLOCK_ENABLE = 1 << 11 };
enum { FUNCTION_SPI = 1, FUNCTION_SIO = 5 };
enum { PIN_RX = 16, PIN_CS = 17, PIN_SCK = 18, PIN_TX = 19, PIN_IRQ = 20 };
enum { STATUS_NOT_FULL = 1 << 1, STATUS_NOT_EMPTY = 1 << 2, FIFO = 8 };

static tensorspin_device device;
static tensorspin_result results[2];

static void transfer(void *context, uint8_t *bytes, size_t count)
{
    size_t sent = 0, received = 0;
    (void)context;
    PINS_CLEAR = 1u << PIN_CS;
    while (received < count) {
        /* No more under way than the FIFO of what comes in can take. */
        if (sent < count && sent - received < FIFO && SPI_STATUS & STATUS_NOT_FULL) {
            SPI_DATA = bytes[sent++];
        }
        if (SPI_STATUS & STATUS_NOT_EMPTY) bytes[received++] = (uint8_t)SPI_DATA;
    }
    PINS_SET = 1u << PIN_CS;
}

static bool ready(void *context)
{
    (void)context;
    return PINS_IN >> PIN_IRQ & 1;
}

static uint32_t micros(void *context)
{
    (void)context;
    return TIMER_LOW;
}

static void set_up(void)
{
    RESETS_RESET_CLEAR = RESET_PINS | RESET_SPI0;
    while ((RESETS_DONE & (RESET_PINS | RESET_SPI0)) != (RESET_PINS | RESET_SPI0)) continue;
    CLOCKS_PERIPHERAL = CLOCK_ENABLE;
    SPI_PRESCALE = 2;
    SPI_CONTROL0 = 2u << 8 | 7; /* a sixth of the clock; mode 0, 8 bits, Motorola's format */
    SPI_CONTROL1 = 1 << 1;      /* enabled, controller */
    PINS_SET = 1u << PIN_CS;
    PINS_OUTPUT_SET = 1u << PIN_CS;
    PIN_CONTROL(PIN_CS) = FUNCTION_SIO;
    PIN_CONTROL(PIN_IRQ) = FUNCTION_SIO;
    PIN_CONTROL(PIN_RX) = FUNCTION_SPI;
    PIN_CONTROL(PIN_SCK) = FUNCTION_SPI;
    PIN_CONTROL(PIN_TX) = FUNCTION_SPI;
}

static void tell(const tensorspin_result *result)
{
    MAIL_WORD = result->cycles;
    MAIL_WORD = result->exponent | (uint32_t)result->best << 16;
    for (unsigned k = 0; k < MODEL_OUTPUTS; ++k) MAIL_WORD = (uint16_t)result->scores[k];
}

static int work(void)
{
    static const tensorspin_port port = {transfer, ready, micros, NULL};
    uint8_t levels[MODEL_FEATURES];
    int error = tensorspin_open(&device, &port);
    if (!error) error = tensorspin_load(&device, &model);
    if (!error) error = tensorspin_self_test(&device, &model_test, &results[0]);
    for (unsigned k = 0; k < SAMPLES && !error; ++k) {
        error = tensorspin_levels_int16(&model_int16, samples[k], levels);
        MAIL_MARK = 1;
        if (!error) error = tensorspin_run(&device, levels, &results[0]);
        MAIL_MARK = 0;
        if (!error) tell(&results[0]);
    }
    return error;
}

int main(void);

int main(void)
{
    set_up();
    MAIL_STATUS = (uint32_t)work();
    for (;;) __asm__ volatile("" ::: "memory");
}

extern uint32_t data_begin[], data_end[], data_load[], bss_begin[], bss_end[], stack_top[];

__attribute__((noreturn, used)) void reset(void);

void reset(void)
{
    /* volatile: a compiler would make calls of memcpy and memset of these loops. */
    volatile uint32_t *to = data_begin;
    for (const uint32_t *from = data_load; to != data_end;) *to++ = *from++;
    for (to = bss_begin; to != bss_end;) *to++ = 0;
    main();
    for (;;) continue;
}

__attribute__((section(".vectors"), used)) static void *const vectors[2] = {stack_top, (void *)reset};

/* What compilers call though nobody wrote it. */
void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);

__attribute__((used)) void *memcpy(void *to, const void *from, size_t count)
{
    volatile uint8_t *out = to;
    for (const uint8_t *in = from; count; --count) *out++ = *in++;
    return to;
}

__attribute__((used)) void *memset(void *to, int byte, size_t count)
{
    volatile uint8_t *out = to;
    for (; count; --count) *out++ = (uint8_t)byte;
    return to;
}
