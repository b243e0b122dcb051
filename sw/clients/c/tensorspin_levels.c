/* From readings to levels, by comparisons of integers alone. */
#include "tensorspin.h"

/* Key of infinity; those of NaN are above it, or below that of minus infinity. */
#define INFINITY_KEY 0x7f800000

/* For a function that is made once for each type of readings, so that its loops ask nothing of the type. */
#ifdef __GNUC__
#define FOR_EACH_TYPE static inline __attribute__((always_inline))
#else
#define FOR_EACH_TYPE static
#endif

/* The integer in whose order a reading is: the bits of negative floats count downwards. A float is read as
 * one, since a compiler that sees the caller, too, may put off what it has written otherwise. */
FOR_EACH_TYPE int32_t key_of(const void *readings, unsigned bits, unsigned column)
{
    union {
        float value;
        int32_t bits;
    } reading;
    if (bits == 16) return ((const int16_t *)readings)[column];
    reading.value = ((const float *)readings)[column];
    return reading.bits < 0 ? (int32_t)(0x80000000u - (uint32_t)reading.bits) : reading.bits;
}

FOR_EACH_TYPE int32_t number(unsigned bits, const void *numbers, uint32_t place)
{
    return bits == 16 ? ((const int16_t *)numbers)[place] : ((const int32_t *)numbers)[place];
}

/* Whether a key stands for a missing reading: NaN, or TENSORSPIN_MISSING. */
FOR_EACH_TYPE bool is_missing(unsigned bits, int32_t key)
{
    return bits == 16 ? key == TENSORSPIN_MISSING : key > INFINITY_KEY || key < -INFINITY_KEY;
}

FOR_EACH_TYPE int make_levels(const tensorspin_scale *scale, const void *readings, uint8_t *levels,
                              unsigned bits)
{
    const int32_t *limit = scale->limits;
    const tensorspin_feature *feature = scale->feature;
    unsigned column = 0, features = scale->features;
    if (scale->bits != bits) return TENSORSPIN_DOES_NOT_FIT;
    do { /* there are columns, and features */
        const int32_t key = key_of(readings, bits, column);
        if (key < limit[0] || key > limit[1]) {
            if (!is_missing(bits, key)) return TENSORSPIN_OUT_OF_RANGE;
            if (!scale->accepts_missing || !scale->accepts_missing[column]) {
                return bits == 16 ? TENSORSPIN_OUT_OF_RANGE : TENSORSPIN_NOT_A_NUMBER;
            }
        }
        limit += 2;
    } while (++column < scale->columns);
    do {
        const int32_t key = key_of(readings, bits, feature->column);
        const void *const own = (const uint8_t *)scale->thresholds + feature->first * (bits / 8);
        const unsigned count = feature->count;
        unsigned below = 0; /* thresholds that are not above the key: bit after bit of their number */
        for (unsigned step = 128; step; step /= 2) {
            const unsigned next = below + step;
            if (next <= count && number(bits, own, next - 1) <= key) below = next;
        }
        if (is_missing(bits, key)) below = feature->missing;
        *levels++ = (uint8_t)below;
        ++feature;
    } while (--features);
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
