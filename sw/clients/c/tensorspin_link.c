/* Frames, and requests that are answered whatever the line does to them.
 *
 * The rules are those of tensorspin/contract/wire/packets.py: a device executes a request only if it is
 * intact and has the number that the device expects, and names that number in a REJECT. So a request that
 * was damaged is sent again, one whose reply was lost is rejected and then sent under a new number, and
 * a device that was reset answers nothing but a HELLO.
 */
#include "tensorspin_link.h"

enum {
    /* Clock cycles from the last byte of a request to the first byte of its reply, at most. */
    REPLY_CYCLES = 2048,
    /* Clock cycles without a byte after which a device has no more to say about a damaged frame. */
    SILENCE_CYCLES = 512,
    /* Megahertz of a device that has not told its clock yet: 128 us for the first try to greet it, and
     * half of a tenth of a second for all. */
    UNKNOWN_MEGAHERTZ = 16,
    /* Bytes with which a frame is looked for: fewer than any has, so that nothing after it is taken. */
    GLANCE = 8,
    /* Bytes of a transaction in which a frame comes. */
    CHUNK = 32,
    /* Frames that put off a time-out, and looks that one frame may take after it: a line may babble. */
    FRAMES = 16,
    LOOKS = 16,
    /* What a body has beside its payload. */
    FRAME_BYTES = TENSORSPIN_HEADER_BYTES + TENSORSPIN_CRC_BYTES
};

uint32_t tensorspin_get(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    while (count--) value = value << 8 | bytes[count];
    return value;
}

void tensorspin_put(uint8_t *bytes, uint32_t value, unsigned count)
{
    for (; count--; value >>= 8) *bytes++ = (uint8_t)value;
}

void tensorspin_clear(void *memory, size_t bytes)
{
    volatile uint8_t *at = (volatile uint8_t *)memory; /* volatile: no call of memset is made of it */
    while (bytes--) *at++ = 0;
}

static uint32_t now(const tensorspin_device *device)
{
    return device->port.micros(device->port.context);
}

/* CRC of any bytes that end with their own CRC. */
#define INTACT 0x2144df1cu

static uint32_t crc32(const uint8_t *bytes, size_t count)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    while (count--) {
        crc ^= *bytes++;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* Takes a packet that is intact. */
static void take_packet(tensorspin_device *device)
{
    const uint8_t *body = device->body;
    if (device->frames) {
        --device->frames;
        device->moved = now(device);
    }
    if (body[0] == TENSORSPIN_REJECT) {
        ++device->faults;
        device->rejected = true;
        device->expected = body[1];
        /* Only a device that was reset has no session. */
        if (body[TENSORSPIN_AT_CODE] == TENSORSPIN_REJECT_NO_SESSION) device->greeted = false;
    } else if (body[0] == (TENSORSPIN_RUN | TENSORSPIN_REPLY)) {
        if (device->waiting) device->on_result(device);
    } else if (body[0] == device->awaited && body[1] == device->sequence) {
        device->answered = true;
    }
}

/* Takes bytes of the line. */
static void exchange(tensorspin_device *device, uint8_t *bytes, size_t count)
{
    device->port.transfer(device->port.context, bytes, count);
    for (; count; --count) {
        uint8_t byte = *bytes++;
        const unsigned length = device->length;
        if (device->answered) return; /* the reply must stay until it is read */
        if (byte == TENSORSPIN_DELIMITER) {
            const unsigned payload = length - FRAME_BYTES; /* out of range if there is no header */
            if (device->started) {
                if (!device->block && device->body[2] == payload
                    && crc32(device->body, length) == INTACT) {
                    take_packet(device);
                } else {
                    ++device->faults;
                }
            }
            device->started = false;
            device->block = 0;
            device->length = 0;
            continue;
        }
        if (device->block-- == 0) {
            /* The code of a block, which stands for the zero before it, except for the first. */
            device->block = (uint8_t)(byte - 1);
            byte = 0;
            if (!device->started) {
                device->started = true;
                continue;
            }
        }
        /* Of a body that is too long the rest is lost, and with it the CRC. */
        if (length < sizeof device->body) {
            device->body[length] = byte;
            ++device->length;
        }
    }
}

bool tensorspin_over(tensorspin_device *device, uint32_t cycles)
{
    uint8_t bytes[CHUNK];
    size_t count = GLANCE;
    const bool late = ((now(device) - device->moved) >> 4) * device->megahertz > cycles >> 4;
    if (!late) device->looks = LOOKS;
    if (device->started) {
        /* What is left of the frame, once its header tells the length. */
        count = GLANCE - 1;
        if (device->length >= TENSORSPIN_HEADER_BYTES) {
            count = (size_t)device->body[2] + FRAME_BYTES + 1 - device->length;
            if (count - 1 >= CHUNK) count = CHUNK;
        }
    }
    /* The last look comes after the time-out, whatever the interrupt says: a late caller is no fault of
     * the device, nor is an interrupt that is not wired. */
    if (device->started || late || !device->port.ready || device->port.ready(device->port.context)) {
        tensorspin_clear(bytes, count);
        exchange(device, bytes, count);
    }
    return late && (!device->started || !device->looks--);
}

uint32_t tensorspin_patience(const tensorspin_device *device)
{
    /* Most requests wait for the samples before them. */
    return REPLY_CYCLES + device->waiting * device->cycles;
}

void tensorspin_send(tensorspin_device *device, uint8_t type, size_t head_bytes)
{
    /* In front of the body its first code. A delimiter before it, to end whatever the device has, would be one
     * more byte for each sample: each look at the line clocks zeros, which are delimiters. Only a greeting after
     * a frame that was cut off needs a second try. */
    uint8_t frame[1 + TENSORSPIN_MAX_BODY + 1], *end = frame + 1, *code = frame, *at;
    const uint8_t *head = device->head, *data = device->data;
    size_t data_bytes = device->data_bytes;
    *end++ = type;
    *end++ = device->sequence;
    *end++ = (uint8_t)(head_bytes + data_bytes);
    while (head_bytes--) *end++ = *head++;
    while (data_bytes--) *end++ = *data++;
    tensorspin_put(end, crc32(frame + 1, (size_t)(end - frame - 1)), TENSORSPIN_CRC_BYTES);
    end += TENSORSPIN_CRC_BYTES;
    *end = TENSORSPIN_DELIMITER;
    for (at = frame + 1;; ++at) {
        if (*at) continue;
        *code = (uint8_t)(at - code);
        if (at == end) break;
        code = at;
    }
    exchange(device, frame, (size_t)(end + 1 - frame));
    device->moved = now(device);
    device->frames = FRAMES;
}

int tensorspin_ask(tensorspin_device *device, uint8_t type, size_t head_bytes)
{
    uint32_t patience = tensorspin_patience(device);
    int error = TENSORSPIN_TIMEOUT;
    device->awaited = (uint8_t)(type | TENSORSPIN_REPLY);
    for (int tries = TENSORSPIN_TRIES; tries > 0; --tries) {
        if (type == TENSORSPIN_HELLO) {
            /* A number that is none of those under way, so that no old reply is taken for this one. */
            device->sequence = (uint8_t)(device->sequence + 67);
        } else if (!device->greeted) {
            error = TENSORSPIN_RESTARTED;
            break;
        }
        device->rejected = false;
        tensorspin_send(device, type, head_bytes);
        /* After a REJECT there is silence first. A device may have rejected several pieces of a frame;
         * whoever sent again at each of them would never come to rest. */
        while (!device->answered) {
            if (tensorspin_over(device, device->rejected ? SILENCE_CYCLES : patience)) break;
        }
        if (device->answered) {
            device->answered = false;
            ++device->sequence;
            device->data_bytes = 0;
            return device->body[TENSORSPIN_AT_CODE];
        }
        ++device->faults;
        if (device->rejected) device->sequence = device->expected;
        if (type == TENSORSPIN_HELLO) { /* fewer tries, but the device may be busy for long */
            patience *= 2;
            tries -= 3;
        }
    }
    device->greeted = false;
    device->data_bytes = 0;
    return error;
}

int tensorspin_write(tensorspin_device *device, uint8_t space, uint32_t address, const uint8_t *data,
                     uint32_t bytes)
{
    int error = TENSORSPIN_OK;
    while (bytes && !error) {
        uint32_t count = TENSORSPIN_MAX_PAYLOAD - TENSORSPIN_MEMORY_BYTES;
        if (count > bytes) count = bytes;
        tensorspin_put(device->head, address | (uint32_t)space << 24, TENSORSPIN_MEMORY_BYTES);
        device->data = data;
        device->data_bytes = (size_t)count;
        error = tensorspin_ask(device, TENSORSPIN_WRITE, TENSORSPIN_MEMORY_BYTES);
        address += count;
        data += count;
        bytes -= count;
    }
    return error;
}

int tensorspin_greet(tensorspin_device *device)
{
    const uint8_t *hello = device->body + TENSORSPIN_AT_REPLY;
    const uint8_t *record, *end;
    int error;
    if (!device->port.transfer) return TENSORSPIN_DOES_NOT_FIT; /* there is no device, but software */
    if (device->greeted) return TENSORSPIN_OK;
    /* A greeting ends a run, and another host may have written the memories since the last one. */
    device->running = false;
    device->variables = 0;
    device->megahertz = UNKNOWN_MEGAHERTZ; /* it may be another device by now */
    error = tensorspin_ask(device, TENSORSPIN_HELLO, 0);
    if (error) return error;
    if (tensorspin_get(hello, 2) != TENSORSPIN_PROTOCOL_VERSION) return TENSORSPIN_OTHER_PROTOCOL;
    /* In units of 2^20 Hz, which needs no division: time-outs are up to a tenth longer. */
    device->megahertz = (uint16_t)(tensorspin_get(hello + TENSORSPIN_AT_HELLO_CLOCK_HZ + 2, 2) >> 4);
    tensorspin_clear(device->contractor, sizeof device->contractor);
    device->annealer[TENSORSPIN_ANNEALER_SPINS] = 0; /* unless its record says otherwise */
    record = hello + TENSORSPIN_AT_HELLO_ENGINES;
    end = hello + device->body[2] - 1;
    while (record < end) {
        const uint8_t *const next = record + TENSORSPIN_RECORD_BYTES + record[1];
        const unsigned kind = record[0];
        if (next > end) break;
        record += TENSORSPIN_RECORD_BYTES;
        if (kind == TENSORSPIN_ENGINE_CONTRACTOR) {
            uint16_t *to = device->contractor;
            for (; record < next && to != device->contractor + TENSORSPIN_CONTRACTOR_NUMBERS;
                 record += TENSORSPIN_SIZE_BYTES) {
                *to++ = (uint16_t)tensorspin_get(record, 2);
            }
        } else if (kind == TENSORSPIN_ENGINE_ANNEALER && device->on_record) {
            device->on_record(device, record, next);
        }
        record = next;
    }
    /* Without a clock no time-out would ever end. */
    if (record != end || !device->megahertz) return TENSORSPIN_BAD_DEVICE;
    device->greeted = true;
    return TENSORSPIN_OK;
}

int tensorspin_open(tensorspin_device *device, const tensorspin_port *port)
{
    tensorspin_clear(device, sizeof *device);
    device->port = *port;
    return tensorspin_greet(device);
}

int tensorspin_ask_status(tensorspin_device *device)
{
    const int error = tensorspin_greet(device);
    return error ? error : tensorspin_ask(device, TENSORSPIN_STATUS, 0);
}

int tensorspin_status(tensorspin_device *device, tensorspin_counters *counters)
{
    const int error = tensorspin_ask_status(device);
    for (unsigned k = 0; k < sizeof counters->bytes; ++k) {
        counters->bytes[k] = device->body[TENSORSPIN_AT_REPLY + k];
    }
    return error;
}
