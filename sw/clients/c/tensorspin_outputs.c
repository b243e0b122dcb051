/* What scores mean: a number, a likelihood, a flag. Classes are `best` of a result.
 *
 * Flags are decided by integers, as on the host. Numbers are float, and are scaled by powers of two
 * without a library.
 */
#include "tensorspin.h"

/* Fields of a float. */
enum { MANTISSA_BITS = 23, MOST_EXPONENT = 254 };

#define LARGEST_BITS 0x7f7fffffu
#define TWICE_LN_2 1.3862944f

static uint32_t magnitude_of(const tensorspin_result *result)
{
    const int32_t score = result->scores[0];
    return (uint32_t)(score < 0 ? -score : score);
}

/* x * 2^power; 0 below the normal numbers, and the largest float beyond it. */
TENSORSPIN_ONCE static float scaled(float x, int32_t power)
{
    union {
        float value;
        uint32_t bits;
    } number = {x};
    const int32_t old = (int32_t)(number.bits >> MANTISSA_BITS & 0xff), new_exponent = old + power;
    if (old == 0 || new_exponent <= 0) return 0;
    if (new_exponent > MOST_EXPONENT) {
        number.bits = (number.bits & 0x80000000u) | LARGEST_BITS;
    } else {
        number.bits += (uint32_t)power << MANTISSA_BITS;
    }
    return number.value;
}

float tensorspin_number(const tensorspin_regression *numbers, const tensorspin_result *result)
{
    return numbers->offset
           + scaled(numbers->factor * (float)result->scores[0],
                    numbers->power - (int32_t)result->exponent);
}

float tensorspin_log_likelihood(const tensorspin_outliers *numbers, const tensorspin_result *result)
{
    uint32_t mantissa = magnitude_of(result), fraction = 0;
    /* A score of 0 stands for a magnitude below half of the last place, and counts as that half. */
    int32_t whole = 30;
    mantissa = mantissa ? mantissa << 1 : 1;
    while (!(mantissa & 0x80000000u)) {
        mantissa <<= 1;
        --whole;
    }
    /* The mantissa, in 1.31, is squared for each digit of its logarithm. */
    for (int digit = 0; digit < TENSORSPIN_LOG2_FRACTION_BITS; ++digit) {
        const uint64_t square = (uint64_t)mantissa * mantissa;
        const bool one = (square >> 63) != 0;
        mantissa = (uint32_t)(square >> (one ? 32 : 31));
        fraction = fraction << 1 | one;
    }
    fraction += numbers->scale_fraction;
    whole += numbers->scale_whole - (int32_t)result->exponent
             + (int32_t)(fraction >> TENSORSPIN_LOG2_FRACTION_BITS);
    fraction &= (UINT32_C(1) << TENSORSPIN_LOG2_FRACTION_BITS) - 1;
    return TWICE_LN_2 * ((float)whole + scaled((float)fraction, -TENSORSPIN_LOG2_FRACTION_BITS));
}

float tensorspin_decision(const tensorspin_outliers *numbers, const tensorspin_result *result)
{
    return tensorspin_log_likelihood(numbers, result) - numbers->offset;
}

bool tensorspin_is_outlier(const tensorspin_outliers *numbers, const tensorspin_result *result)
{
    if (result->exponent < numbers->first_exponent) return false;
    const uint32_t place = result->exponent - numbers->first_exponent;
    return place >= numbers->count || magnitude_of(result) < numbers->least[place];
}
