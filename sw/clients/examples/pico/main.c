/* A Raspberry Pi Pico asks an iCEBreaker (bitstream icebreaker_spi) for the class of the model's own test
 * sample, once a second, and prints answer and time. docs/coprocessor.md shows the wires. */
#include <stdio.h>

#include "hardware/gpio.h"
#include "hardware/spi.h"
#include "pico/stdlib.h"

#include "model.h"
#include "tensorspin.h"

enum { CIPO = 16, CS = 17, SCK = 18, COPI = 19, IRQ = 20, SCK_HZ = 20000000 };

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

int main(void)
{
    static const tensorspin_port port = {transfer, ready, micros, NULL};
    static tensorspin_device device;
    static tensorspin_result result;

    stdio_init_all();
    spi_init(spi0, SCK_HZ); /* mode 0, 8 bits, most significant bit first */
    gpio_set_function(CIPO, GPIO_FUNC_SPI);
    gpio_set_function(SCK, GPIO_FUNC_SPI);
    gpio_set_function(COPI, GPIO_FUNC_SPI);
    gpio_init(CS);
    gpio_put(CS, 1);
    gpio_set_dir(CS, GPIO_OUT);
    gpio_init(IRQ);
    gpio_set_dir(IRQ, GPIO_IN);

    for (;;) {
        int error = tensorspin_open(&device, &port);
        if (!error) error = tensorspin_load(&device, &model);
        if (!error) error = tensorspin_self_test(&device, &model_test, &result);
        while (!error) {
            uint32_t began = time_us_32();
            error = tensorspin_run(&device, model_test.levels, &result);
            printf("class %u, %lu cycles, %lu us, error %d\n", (unsigned)result.best,
                   (unsigned long)result.cycles, (unsigned long)(time_us_32() - began), error);
            sleep_ms(1000);
        }
        printf("error %d: trying again\n", error);
        sleep_ms(1000);
    }
}
