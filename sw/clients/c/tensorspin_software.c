/* The contraction of a sample in software, with the same bits as a device.
 *
 * It reads the program as the device does, word after word, so that one image serves both. Rounding and
 * normalisation are those of tensorspin/golden/contractor/contraction.py.
 */
#include "tensorspin.h"

/* Fields of a node's header. */
typedef struct {
    uint32_t low, high;
} node_header;

#define FIELD(node, name) field(node, TENSORSPIN_NODE_##name##_BIT, TENSORSPIN_NODE_##name##_BITS)

static unsigned field(node_header node, unsigned bit, unsigned bits)
{
    uint32_t value;
    if (bit >= 32) {
        value = node.high >> (bit - 32);
    } else {
        value = node.low >> bit;
        if (bit && bit + bits > 32) value |= node.high << (32 - bit);
    }
    return (unsigned)(value & ((1u << bits) - 1));
}

static uint32_t little32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static node_header take_header(const uint8_t *word)
{
    node_header node;
    node.low = little32(word);
    node.high = little32(word + 4);
    return node;
}

static int16_t saturate(int32_t value)
{
    return (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
}

/* An operand: a slot, or a row of the feature table. */
typedef struct {
    const int16_t *slot;
    const uint8_t *row;
} operand;

static int32_t entry(operand from, unsigned at)
{
    const uint8_t *bytes;
    if (from.slot) return from.slot[at];
    bytes = from.row + (size_t)at * TENSORSPIN_LEVELS * TENSORSPIN_MANTISSA_BYTES;
    return (int16_t)(bytes[0] | (unsigned)bytes[1] << 8);
}

static operand fetch(tensorspin_workspace *workspace, const tensorspin_model *model,
                     const uint8_t *levels, bool feature, unsigned index, uint16_t *exponent)
{
    operand from = {NULL, NULL};
    if (feature) {
        from.row = model->table + (size_t)levels[index] * TENSORSPIN_MANTISSA_BYTES;
    } else {
        from.slot = workspace->slots[index];
        *exponent = (uint16_t)(*exponent + workspace->exponents[index]);
    }
    return from;
}

/* Adds products of a number and weights: bytes, or the halves of them that a mask tells. The time of a
 * contraction is that of these loops, so they ask nothing for each weight. */
static void add_products(int32_t *sums, const uint8_t *weights, unsigned count, unsigned mask,
                         int32_t product)
{
    if (mask == 0xff) {
        for (; count; --count) *sums++ += (int8_t)*weights++ * product;
    } else {
        const unsigned shift = mask == 0x0f ? 4 : 0;
        for (; count; --count) *sums++ += (int8_t)((*weights++ << shift) & 0xf0) * product;
    }
}

/* Adds the products of a node's operands, each with its weights, to the sums of its outputs. */
static const uint8_t *accumulate(int32_t *sums, node_header node, operand left, operand right,
                                 const uint8_t *word, unsigned lanes, unsigned stride)
{
    const unsigned left_size = FIELD(node, LEFT_SIZE) + 1, right_size = FIELD(node, RIGHT_SIZE) + 1;
    const unsigned outputs = FIELD(node, OUTPUTS) + 1;
    const bool narrow = FIELD(node, NARROW) != 0;
    for (unsigned first = 0; first < outputs; first += lanes) {
        const unsigned count = outputs - first < lanes ? outputs - first : lanes;
        bool upper = false; /* half of the bytes that the next weights of a narrow node are in */
        for (unsigned k = 0; k < count; ++k) sums[first + k] = 0;
        for (unsigned a = 0; a < left_size; ++a) {
            const int32_t factor = entry(left, a);
            for (unsigned b = 0; b < right_size; ++b) {
                const int32_t exact = factor * entry(right, b);
                /* Half to even: a tie is rounded up only if the quotient is odd. */
                const int32_t odd = exact >> TENSORSPIN_MANTISSA_FRACTION_BITS & 1;
                const int32_t product =
                    saturate((exact + (1 << (TENSORSPIN_MANTISSA_FRACTION_BITS - 1)) - 1 + odd)
                             >> TENSORSPIN_MANTISSA_FRACTION_BITS);
                add_products(sums + first, word, count, narrow ? upper ? 0xf0 : 0x0f : 0xff, product);
                if (!narrow || upper) word += stride;
                upper = narrow && !upper;
            }
        }
        if (upper) word += stride; /* an odd number of elements leaves half a word empty */
    }
    return word;
}

/* Gives sums one exponent: shifts them so that the greatest fills its bits, and rounds. */
static unsigned normalise(const int32_t *sums, unsigned count, int16_t *mantissas)
{
    uint32_t magnitude = 0;
    unsigned shift = 0;
    for (unsigned k = 0; k < count; ++k) magnitude |= (uint32_t)(sums[k] < 0 ? ~sums[k] : sums[k]);
    while (shift < TENSORSPIN_ACCUMULATOR_BITS - 1
           && !(magnitude << shift & UINT32_C(1) << (TENSORSPIN_ACCUMULATOR_BITS - 2))) {
        ++shift;
    }
    for (unsigned k = 0; k < count; ++k) {
        const int32_t shifted = (int32_t)((uint32_t)sums[k] << shift);
        const uint32_t rest = (uint32_t)shifted & 0xffff;
        int32_t value = shifted >> 16;
        value += rest > 0x8000 || (rest == 0x8000 && (value & 1));
        mantissas[k] = saturate(value);
    }
    return shift;
}

static int contract(tensorspin_workspace *workspace, const tensorspin_model *model,
                    const uint8_t *levels, tensorspin_result *result)
{
    const unsigned lanes = model->needs[TENSORSPIN_CONTRACTOR_LANES];
    const uint8_t *word = model->image, *const end = model->image + model->image_bytes;
    node_header next = {0, 0}, node;
    unsigned stride = 1;
    while (stride < lanes) stride *= 2;
    /* Each header stands one node early; the first two stand together. */
    node = take_header(word);
    word += stride;
    if (!FIELD(node, LAST)) {
        next = take_header(word);
        word += stride;
    }
    while (word < end) {
        uint16_t exponent = 0;
        const unsigned outputs = FIELD(node, OUTPUTS) + 1, destination = FIELD(node, DESTINATION);
        const bool last = FIELD(node, LAST) != 0;
        const operand left = fetch(workspace, model, levels, FIELD(node, LEFT_KIND) != 0,
                                   FIELD(node, LEFT_INDEX), &exponent);
        const operand right = fetch(workspace, model, levels, FIELD(node, RIGHT_KIND) != 0,
                                    FIELD(node, RIGHT_INDEX), &exponent);
        word = accumulate(workspace->sums, node, left, right, word, lanes, stride);
        exponent = (uint16_t)(exponent
                              + normalise(workspace->sums, outputs,
                                          last ? result->scores : workspace->slots[destination]));
        if (last) {
            result->exponent = exponent;
            result->cycles = 0;
            result->best = 0;
            for (uint16_t k = 1; k < outputs; ++k) {
                if (result->scores[k] > result->scores[result->best]) result->best = k;
            }
            return TENSORSPIN_OK;
        }
        workspace->exponents[destination] = exponent;
        node = next;
        if (!FIELD(node, LAST)) {
            next = take_header(word);
            word += stride;
        }
    }
    return TENSORSPIN_STATUS_PROGRAM_OVERRUN;
}

void tensorspin_open_software(tensorspin_device *device, tensorspin_workspace *workspace)
{
    uint8_t *bytes = (uint8_t *)device;
    for (size_t k = 0; k < sizeof *device; ++k) bytes[k] = 0;
    device->workspace = workspace;
    device->contract = contract;
    for (unsigned k = 0; k < TENSORSPIN_SIZES; ++k) device->contractor[k] = UINT16_MAX;
    device->contractor[TENSORSPIN_CONTRACTOR_SLOTS] = sizeof workspace->slots / sizeof *workspace->slots;
    device->contractor[TENSORSPIN_CONTRACTOR_SLOT_ENTRIES] =
        sizeof *workspace->slots / sizeof **workspace->slots;
}
