/* The RP2040 of a pico-ice loads the FPGA beside it (bitstream pico_ice), asks it for the class of the
 * model's own test sample, once a second, and prints answer and time.
 *
 * Bitstream and model lie in the RP2040's flash, so that one file makes the board whole and the FPGA's
 * own flash is not needed. docs/coprocessor.md names the pins. */
#include <stdio.h>

#include "hardware/clocks.h"
#include "hardware/gpio.h"
#include "hardware/spi.h"
#include "pico/stdlib.h"

#include "model.h"
#include "tensorspin.h"
#include "tensorspin_configure.h"

/* The accelerator's line. */
enum { IRQ = 0, CIPO = 4, CS = 5, SCK = 6, COPI = 7, SCK_HZ = 20000000 };
/* The FPGA's clock of 12 MHz, its reset and its answer. */
enum { CLOCK = 24, CDONE = 26, CRESET = 27 };
/* The wires by which the FPGA is configured. Its flash is on them, too, and has another input. */
enum { CONFIG_SELECT = 9, CONFIG_SCK = 10 };
#ifdef PICO_ICE_REV1
enum { CONFIG_DATA = 11, FLASH_DATA = 8 };
#else
enum { CONFIG_DATA = 8, FLASH_DATA = 11 };
#endif
enum { FLASH_POWER_DOWN = 0xB9 };

extern const uint8_t bitstream[], bitstream_end[]; /* bitstream.S */

/* The RP2040's SPI has no output on GPIO 8, so the bits are put one by one: 5 MHz or more. */
static void put_bytes(unsigned data, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (unsigned bit = 8; bit--;) {
            gpio_put(data, bytes[i] >> bit & 1);
            gpio_put(CONFIG_SCK, 1);
            gpio_put(CONFIG_SCK, 0);
        }
    }
}

static void config_write(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    put_bytes(CONFIG_DATA, bytes, n);
}

static void config_select(void *context, bool level)
{
    (void)context;
    gpio_put(CONFIG_SELECT, level);
}

static void config_reset(void *context, bool level)
{
    (void)context;
    gpio_put(CRESET, level);
}

static bool config_done(void *context)
{
    (void)context;
    return gpio_get(CDONE);
}

static void config_wait(void *context, uint32_t microseconds)
{
    (void)context;
    busy_wait_us_32(microseconds);
}

static void make_output(unsigned gpio, bool level)
{
    gpio_init(gpio);
    gpio_put(gpio, level);
    gpio_set_dir(gpio, GPIO_OUT);
}

static int load_fpga(void)
{
    static const tensorspin_configure_port port = {
        config_write, config_select, config_reset, config_done, config_wait, NULL};
    static const uint8_t command = FLASH_POWER_DOWN;

    clock_gpio_init(CLOCK, CLOCKS_CLK_GPOUT2_CTRL_AUXSRC_VALUE_CLK_USB, 4); /* 48 MHz / 4 */
    make_output(CRESET, 0); /* the FPGA leaves the wires alone from here on */
    make_output(CONFIG_SELECT, 1);
    make_output(CONFIG_SCK, 0);
    make_output(FLASH_DATA, 0);
    gpio_init(CDONE);

    /* Asleep, the flash does not answer to the select that it shares with the FPGA. */
    gpio_put(CONFIG_SELECT, 0);
    put_bytes(FLASH_DATA, &command, 1);
    gpio_put(CONFIG_SELECT, 1);
    busy_wait_us_32(30);
    gpio_init(FLASH_DATA); /* an input again, as the FPGA has an output on this wire */

    make_output(CONFIG_DATA, 0);
    int error = tensorspin_configure(&port, bitstream, (size_t)(bitstream_end - bitstream));
    gpio_init(CONFIG_DATA);
    return error;
}

static void transfer(void *context, uint8_t *bytes, size_t n)
{
    (void)context;
    gpio_put(CS, 0);
    spi_write_read_blocking(spi0, bytes, bytes, n);
    gpio_put(CS, 1);
}

static bool ready(void *context)
{
    (void)context;
    return gpio_get(IRQ);
}

static uint32_t micros(void *context)
{
    (void)context;
    return time_us_32();
}

static int ask(tensorspin_device *device)
{
    static tensorspin_result result;
    uint32_t began = time_us_32();
    int error = tensorspin_run(device, model_test.levels, &result);
    printf("class %u, %lu cycles, %lu us, error %d\n", (unsigned)result.best,
           (unsigned long)result.cycles, (unsigned long)(time_us_32() - began), error);
    return error;
}

int main(void)
{
    static const tensorspin_port port = {transfer, ready, micros, NULL};
    static tensorspin_device device;
    static tensorspin_result tested;

    stdio_init_all();
    spi_init(spi0, SCK_HZ); /* mode 0, 8 bits, most significant bit first */
    gpio_set_function(CIPO, GPIO_FUNC_SPI);
    gpio_set_function(SCK, GPIO_FUNC_SPI);
    gpio_set_function(COPI, GPIO_FUNC_SPI);
    make_output(CS, 1);
    gpio_init(IRQ);

    for (;;) {
        int error = load_fpga();
        if (!error) error = tensorspin_open(&device, &port);
        if (!error) error = tensorspin_load(&device, &model);
        if (!error) error = tensorspin_self_test(&device, &model_test, &tested);
        while (!error) {
            error = ask(&device);
            sleep_ms(1000);
        }
        printf("error %d: configuring the FPGA again\n", error);
        sleep_ms(1000);
    }
}
