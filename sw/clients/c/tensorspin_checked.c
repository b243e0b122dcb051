/* Known answers: tests of what is loaded, and what is done when one fails. */
#include "tensorspin_link.h"

int tensorspin_self_test(tensorspin_device *device, const tensorspin_test *test, tensorspin_result *result)
{
    const uint8_t *levels = test->levels;
    const int16_t *score = test->scores;
    const uint16_t *number = test->numbers;
    for (unsigned samples = test->count; samples; --samples) {
        const int error = tensorspin_run(device, levels, result);
        bool same;
        if (error) return error;
        same = result->exponent == number[0] && result->best == number[1];
        for (unsigned k = 0; k < device->model->outputs; ++k) same = same && result->scores[k] == *score++;
        if (!same) return tensorspin_give_up(device, TENSORSPIN_WRONG_ANSWER);
        levels += device->model->features;
        number += 2;
    }
    return TENSORSPIN_OK;
}

int tensorspin_run_checked(tensorspin_checked *checked, const uint8_t *levels, tensorspin_result *result)
{
    tensorspin_device *const device = checked->device, *const fallback = checked->fallback;
    int error = checked->error;
    bool resting = fallback && !checked->loaded && checked->left; /* its errors are not asked for again */
    for (unsigned tries = 2; tries && !resting; --tries) {
        const bool fresh = !checked->loaded;
        error = fresh ? tensorspin_load(device, checked->model) : TENSORSPIN_OK;
        if (!error && (fresh || (checked->every && !checked->left))) {
            error = tensorspin_self_test(device, checked->test, result);
            checked->left = checked->every;
        }
        if (!error) error = tensorspin_run(device, levels, result);
        checked->loaded = !error;
        checked->error = error;
        if (error) continue;
        if (checked->left) --checked->left;
        return error;
    }
    if (!fallback) return error;
    checked->left = resting ? checked->left - 1 : checked->every;
    error = fallback->model == checked->model ? TENSORSPIN_OK : tensorspin_load(fallback, checked->model);
    return error ? error : tensorspin_run(fallback, levels, result);
}
