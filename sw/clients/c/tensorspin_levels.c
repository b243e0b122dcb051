/* From readings to levels, by comparisons of integers alone. */
#include "tensorspin.h"

/* Key of infinity; those of NaN are above it, or below that of minus infinity. */
#define INFINITY_KEY 0x7f800000

/* An integer of a table. */
static int32_t at(unsigned bits, const void *numbers, uint32_t place)
{
    return bits == 16 ? ((const int16_t *)numbers)[place] : ((const int32_t *)numbers)[place];
}

/* The integer in whose order a reading is: the bits of negative floats count downwards. A float is read as
 * one, since a compiler that sees the caller, too, may put off what it has written otherwise. */
TENSORSPIN_ONCE static int32_t key_of(const tensorspin_scale *scale, const void *readings, unsigned column)
{
    union {
        float value;
        int32_t bits;
    } reading;
    if (scale->bits == 16) return ((const int16_t *)readings)[column];
    reading.value = ((const float *)readings)[column];
    return reading.bits < 0 ? (int32_t)(0x80000000u - (uint32_t)reading.bits) : reading.bits;
}

static bool is_nan(int32_t key)
{
    return key > INFINITY_KEY || key < -INFINITY_KEY;
}

static int make_levels(const tensorspin_scale *scale, const void *readings, uint8_t *levels,
                       unsigned bits)
{
    if (scale->bits != bits) return TENSORSPIN_DOES_NOT_FIT;
    for (unsigned column = 0; column < scale->columns; ++column) {
        const int32_t key = key_of(scale, readings, column);
        if (is_nan(key)) {
            if (!scale->accepts_nan || !scale->accepts_nan[column]) return TENSORSPIN_NOT_A_NUMBER;
        } else if (key < scale->limits[2 * column] || key > scale->limits[2 * column + 1]) {
            return TENSORSPIN_OUT_OF_RANGE;
        }
    }
    const void *const thresholds = scale->thresholds;
    for (unsigned feature = 0; feature < scale->features; ++feature) {
        const int32_t key = key_of(scale, readings, scale->column[feature]);
        const uint32_t first = scale->first[feature];
        const unsigned count = scale->count[feature];
        unsigned below = 0; /* thresholds that are not above the key: bit after bit of their number */
        for (unsigned step = 128; step; step /= 2) {
            const unsigned next = below + step;
            if (next <= count && at(bits, thresholds, first + next - 1) <= key) below = next;
        }
        if (scale->missing && is_nan(key)) below = scale->missing[feature];
        *levels++ = (uint8_t)below;
    }
    return TENSORSPIN_OK;
}

int tensorspin_levels(const tensorspin_scale *scale, const float *readings, uint8_t *levels)
{
    return make_levels(scale, readings, levels, 32);
}

int tensorspin_levels_int16(const tensorspin_scale *scale, const int16_t *readings, uint8_t *levels)
{
    return make_levels(scale, readings, levels, 16);
}
