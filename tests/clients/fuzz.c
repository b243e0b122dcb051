/* Calls the driver in any order, on a line that answers whatever the input says.
 *
 * The input is a script. Answers have right frames, as random bytes would hardly ever get past the CRC, and
 * everything in them is the input's: types, numbers, statuses, descriptions, lengths. Sanitizers find what
 * goes wrong in memory; here it is checked that each call ends, and soon by the port's clock.
 *
 * With libFuzzer (-DLIBFUZZER) the inputs are its own. Otherwise they are random: fuzz SEED COUNT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorspin.h"

#include "fuzz_data.h" /* description: what a device with both engines says of itself */

enum { MOST_US = 3000000 };

static struct {
    const uint8_t *data;
    size_t size, at;
    uint8_t queue[4096];
    size_t queued;
    uint8_t type, sequence; /* of the request that was sent last */
    unsigned outputs;
    uint32_t us;
} line;

static uint8_t next(void)
{
    return line.at < line.size ? line.data[line.at++] : 0;
}

static uint32_t crc32(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffff;
    while (count--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void queue_frame(uint8_t type, uint8_t sequence, const uint8_t *payload, size_t size)
{
    uint8_t body[3 + 255 + 4];
    size_t count = 3 + size, begin = 0;
    uint32_t crc;
    if (line.queued + sizeof body + 4 > sizeof line.queue) return;
    body[0] = type;
    body[1] = sequence;
    body[2] = (uint8_t)size;
    memcpy(body + 3, payload, size);
    crc = crc32(body, count);
    for (int k = 0; k < 4; ++k) body[count++] = (uint8_t)(crc >> 8 * k);
    for (size_t end = 0; end <= count; ++end) {
        if (end < count && body[end]) continue;
        line.queue[line.queued++] = (uint8_t)(end - begin + 1);
        memcpy(line.queue + line.queued, body + begin, end - begin);
        line.queued += end - begin;
        begin = end + 1;
    }
    line.queue[line.queued++] = 0;
}

static void answer(void)
{
    uint8_t payload[256], kind = next();
    size_t size = 0;
    switch (kind % 8) {
    case 0: /* a right reply of any content */
        size = 1 + next() % 245;
        payload[0] = next() % 4 ? 0 : next();
        for (size_t k = 1; k < size; ++k) payload[k] = next();
        queue_frame(line.type | 0x80, line.sequence, payload, size);
        break;
    case 1: /* a reply that any request takes, of what a device may hold */
    case 2:
        size = 64;
        memset(payload, 0, size);
        payload[1] = 1; /* a model is active; its digest is 0 */
        queue_frame(line.type | 0x80, line.sequence, payload, size);
        break;
    case 3: /* a description, with some bytes changed */
    case 4:
        size = 1 + sizeof description;
        payload[0] = 0;
        memcpy(payload + 1, description, sizeof description);
        for (int left = kind >> 5; left; --left) payload[next() % size] = next();
        queue_frame(line.type | 0x80, line.sequence, payload, size - (kind & 8 ? next() % size : 0));
        break;
    case 5:
        payload[0] = next();
        queue_frame(0xff, kind & 8 ? line.sequence : next(), payload, 1);
        break;
    case 6: /* a result, of any sample */
        size = kind & 8 ? 9 + 2 * line.outputs : 1 + next() % 200;
        for (size_t k = 0; k < size; ++k) payload[k] = next();
        if (kind & 8) { /* in as many cycles as a model takes, and intact */
            payload[0] = 0;
            memset(payload + size - 6, 0, 6);
            payload[size - 4] = 0xe8;
            payload[size - 3] = 3;
        }
        queue_frame(0x87, (uint8_t)(line.sequence - next() % 4), payload, size);
        break;
    default: /* noise, or nothing */
        for (size_t k = kind >> 4; k && line.queued < sizeof line.queue; --k) {
            line.queue[line.queued++] = next();
        }
    }
}

static void transfer(void *context, uint8_t *bytes, size_t count)
{
    (void)context;
    line.us += (uint32_t)count;
    if (count > 9 && bytes[1]) { /* a request: its type is never 0 */
        line.type = bytes[2];
        line.sequence = bytes[1] == 2 ? 0 : bytes[3];
        memset(bytes, 0, count);
        for (int frames = 1 + next() % 3; frames; --frames) answer();
        return;
    }
    for (size_t k = 0; k < count; ++k) bytes[k] = k < line.queued ? line.queue[k] : 0;
    if (count > line.queued) count = line.queued;
    memmove(line.queue, line.queue + count, line.queued - count);
    line.queued -= count;
}

static bool ready(void *context)
{
    (void)context;
    line.us += 2;
    return line.queued || (line.at < line.size && line.data[line.at] == 0x5a);
}

static uint32_t micros(void *context)
{
    (void)context;
    return line.us += 5;
}

static int32_t coupling(const void *data, unsigned i, unsigned j)
{
    (void)data;
    return (int32_t)(i * 7 + j * 7) % 5 - 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t image[32] = {0}, table[512] = {0};
    static const tensorspin_step steps[3] = {{0x80000000u, 3}, {0x1000u, 2}, {0, 1}};
    const tensorspin_port port = {transfer, size % 3 ? ready : NULL, micros, NULL};
    tensorspin_model model = {image, table, sizeof image, sizeof table, 0, 1000, {8, 4, 1, 1, 1, 1}, 2, 3,
                              {1000, 1000}, 800, 2, 1};
    const tensorspin_problem problem = {coupling, NULL, 5};
    uint8_t *levels = malloc(300);
    tensorspin_device *device = malloc(sizeof *device);
    tensorspin_result *results = malloc(2 * sizeof *results);
    static const int16_t known[64] = {0};
    static const uint16_t numbers[2] = {0};
    const tensorspin_test test = {levels, known, numbers, 1};
    tensorspin_checked checked = {device, &model, &test, NULL, 3, 0, false, 0};
    tensorspin_counters counters;
    int8_t state[5];
    int32_t energy;
    memset(&line, 0, sizeof line);
    memset(levels, 7, 300);
    line.data = data;
    line.size = size;
    model.features = (uint16_t)(next() & 1 ? 300 : 2);
    model.outputs = (uint16_t)(1 + next() % 64);
    line.outputs = model.outputs;
    tensorspin_open(device, &port);
    for (int calls = 0; calls < 30 && line.at < line.size; ++calls) {
        const uint32_t began = line.us;
        const uint8_t what = next();
        switch (what % 12) {
        case 0: tensorspin_open(device, &port); break;
        case 1: tensorspin_load(device, &model); break;
        case 2: tensorspin_run(device, levels, results); break;
        case 3: tensorspin_start(device, levels, &results[what >> 7]); break;
        case 4: tensorspin_status(device, &counters); break;
        case 5: tensorspin_anneal_load(device, &problem); break;
        case 6: tensorspin_anneal_start(device, steps, what >> 6, what, 0); break;
        case 7: tensorspin_anneal_finish(device); break;
        case 8: tensorspin_anneal_read(device, &problem, what >> 4, state, &energy); break;
        case 9: tensorspin_run_checked(&checked, levels, results); break;
        case 10: tensorspin_set_mode(device, what & 16 ? TENSORSPIN_THROUGHPUT : TENSORSPIN_SINGLE); break;
        default:
            for (int looks = 0; looks < 20; ++looks) {
                if (tensorspin_finish(device) != TENSORSPIN_PENDING) break;
            }
        }
        if (line.us - began > MOST_US) {
            fprintf(stderr, "call %d took %u us\n", what % 12, (unsigned)(line.us - began));
            abort();
        }
    }
    free(results);
    free(device);
    free(levels);
    return 0;
}

#ifndef LIBFUZZER
int main(int count, char **words)
{
    uint64_t state = 0x9e3779b97f4a7c15u * (strtoull(words[1], NULL, 10) + 1);
    unsigned long inputs = strtoul(words[2], NULL, 10);
    if (count != 3) return 2;
    for (; inputs; --inputs) {
        uint8_t data[1500];
        size_t size = 0;
        uint8_t spread = 0;
        state = state * 6364136223846793005u + 1442695040888963407u;
        for (const size_t wanted = state >> 33 & 1023; size < wanted; ++size) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            /* Some inputs are of few different bytes, so that replies are often those that are wanted. */
            if (size % 64 == 0) spread = (uint8_t)(state >> 60 & 1 ? 0xff : 0x1f);
            data[size] = (uint8_t)(state >> 40) & spread;
        }
        LLVMFuzzerTestOneInput(data, size);
    }
    return 0;
}
#endif
