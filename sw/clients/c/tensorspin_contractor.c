/* Models and samples. */
#include "tensorspin_link.h"

/* Levels that a packet can bring. */
enum { LEVELS = TENSORSPIN_MAX_PAYLOAD - TENSORSPIN_OFFSET_BYTES };

/* Gives an answer that has come to the sample that it belongs to. One that cannot be right is asked for once
 * more: programs look up `best` in a list of names, and the cycles of a model are always the same. If the next
 * one cannot be right either, the device does not run what was loaded. */
static void take_result(tensorspin_device *device)
{
    const uint8_t *at = device->body;
    const unsigned outputs = device->model->outputs, payload = at[2], sequence = at[1];
    int status = (int8_t)at[TENSORSPIN_AT_CODE];
    tensorspin_sample *sample = device->samples;
    unsigned left = device->waiting;
    for (; sample->status != TENSORSPIN_PENDING || sample->sequence != sequence; ++sample) {
        if (!--left) return;
    }
    if (status < 0) return; /* no device has such a status: the answer counts as lost */
    if (!status) {
        tensorspin_result *result = sample->result;
        int16_t *score = result->scores;
        at += TENSORSPIN_AT_REPLY;
        for (left = outputs; left--; at += 2) *score++ = (int16_t)tensorspin_get(at, 2);
        result->exponent = (uint16_t)tensorspin_get(at, 2);
        result->best = (uint16_t)tensorspin_get(at + 2, 2);
        result->cycles = tensorspin_get(at + 4, 4);
        if (result->cycles != device->cycles || result->best >= outputs
            || payload != 1 + 2 * outputs + TENSORSPIN_RESULT_BYTES) {
            ++device->faults;
            device->rejected = true; /* the sample is sent again, and soon */
            status = sample->doubted ? TENSORSPIN_FAULT : TENSORSPIN_PENDING;
            sample->doubted = true;
        }
    }
    sample->status = (int8_t)status;
    if (status != TENSORSPIN_PENDING) device->repairs = 0;
}

/* Finds out whether the device holds a model. */
static int check(tensorspin_device *device, const tensorspin_model *model)
{
    const uint8_t *reply = device->body + TENSORSPIN_AT_REPLY;
    int error = tensorspin_ask_status(device);
    if (!error && (!reply[TENSORSPIN_AT_STATUS_ACTIVE]
                   || tensorspin_get(reply + TENSORSPIN_AT_STATUS_DIGEST, 4) != model->digest)) {
        error = TENSORSPIN_NO_MODEL;
    }
    return error;
}

static bool fits(const tensorspin_device *device, const tensorspin_model *model)
{
    const unsigned pipeline = device->contractor[TENSORSPIN_CONTRACTOR_PIPELINE];
    for (unsigned k = 0; k < TENSORSPIN_SIZES; ++k) {
        if (model->needs[k] > device->contractor[k]) return false;
    }
    /* Headers of earlier exports have no cycles, and no answer would be right. */
    return model->outputs <= TENSORSPIN_SCORES
           && pipeline < TENSORSPIN_PIPELINES && model->throughput_cycles[pipeline]
           && (device->workspace || model->needs[0] == device->contractor[0]);
}

/* Sends a model. All of it is in one session: a device that is reset meanwhile answers no more. */
static int upload(tensorspin_device *device, const tensorspin_model *model)
{
    int error = tensorspin_write(device, TENSORSPIN_SPACE_PROGRAM, 0, model->image, model->image_bytes);
    if (!error) {
        error = tensorspin_write(device, TENSORSPIN_SPACE_TABLE, 0, model->table, model->table_bytes);
    }
    if (error) return error;
    tensorspin_put(device->head, model->features, 2);
    /* A board that can compares the signature of what it reads in each run. */
    if (model->is_signed && device->contractor[TENSORSPIN_CONTRACTOR_SIGNATURE]) {
        device->head[1] |= TENSORSPIN_ACTIVATE_SIGNED >> 8;
    }
    tensorspin_put(device->head + 2, model->digest, 4);
    return tensorspin_ask(device, TENSORSPIN_ACTIVATE, TENSORSPIN_ACTIVATE_BYTES);
}

int tensorspin_load(tensorspin_device *device, const tensorspin_model *model)
{
    const uint16_t *size = device->contractor;
    int error, tries = TENSORSPIN_UPLOADS;
    if (device->waiting || device->running) return TENSORSPIN_BUSY;
    device->model = NULL;
    device->on_result = take_result;
    do {
        error = device->workspace ? TENSORSPIN_OK : check(device, model);
        if (error && error != TENSORSPIN_NO_MODEL) return error;
        if (!fits(device, model)) return TENSORSPIN_DOES_NOT_FIT;
        if (error) error = upload(device, model);
    } while (error == TENSORSPIN_RESTARTED && --tries);
    if (error) return error;
    device->model = model;
    device->cycles = model->throughput_cycles[size[TENSORSPIN_CONTRACTOR_PIPELINE]];
    device->single = !device->throughput && model->single_cycles
                     && model->groups == size[TENSORSPIN_CONTRACTOR_GROUPS]
                     && model->single_drain == size[TENSORSPIN_CONTRACTOR_SINGLE_DRAIN];
    if (device->single) device->cycles = model->single_cycles;
    return error;
}

/* Sends a sample, in as many packets as it needs. Only the last one has no answer at once. */
static int submit(tensorspin_device *device, tensorspin_sample *sample)
{
    const unsigned features = device->model->features;
    unsigned at = 0;
    int tries = TENSORSPIN_TRIES;
    for (;;) {
        int error;
        tensorspin_put(device->head, at, TENSORSPIN_OFFSET_BYTES);
        device->data = sample->levels + at;
        device->data_bytes = features - at;
        if (device->data_bytes <= LEVELS) break;
        device->data_bytes = LEVELS;
        error = tensorspin_ask(device, TENSORSPIN_FEATURES, TENSORSPIN_OFFSET_BYTES);
        at += LEVELS;
        /* A part that was repeated, as its reply was lost, does not continue the sample. */
        if (error == TENSORSPIN_STATUS_BAD_OFFSET && tries--) at = 0;
        else if (error) return error;
    }
    if (device->single) device->head[1] |= TENSORSPIN_OFFSET_SINGLE >> 8;
    sample->sequence = device->sequence;
    tensorspin_send(device, TENSORSPIN_RUN, TENSORSPIN_OFFSET_BYTES);
    device->data_bytes = 0;
    ++device->sequence;
    return TENSORSPIN_OK;
}

int tensorspin_give_up(tensorspin_device *device, int error)
{
    device->waiting = 0;
    device->repairs = 0;
    /* What answers wrongly is used by nobody: a write makes it inactive, and so it is loaded anew. */
    if (error <= TENSORSPIN_WRONG_ANSWER) {
        tensorspin_write(device, TENSORSPIN_SPACE_PROGRAM, 0, device->model->image, 1);
    }
    device->greeted = false;
    return error;
}

/* Sends again what has no answer, once it is known which number the device expects, and that it holds the
 * model. The question waits for the results before it: whatever was answered has come by then. */
static int repair(tensorspin_device *device)
{
    int error = TENSORSPIN_TIMEOUT;
    if (device->repairs++ < TENSORSPIN_REPAIRS) {
        error = check(device, device->model);
        /* A device that was reset, or does not answer, is greeted and asked again. */
        if (error < 0) error = check(device, device->model);
    }
    device->rejected = false;
    for (unsigned k = 0; k < device->waiting && !error; ++k) {
        if (device->samples[k].status == TENSORSPIN_PENDING) error = submit(device, &device->samples[k]);
    }
    return error ? tensorspin_give_up(device, error) : TENSORSPIN_OK;
}

int tensorspin_start(tensorspin_device *device, const uint8_t *levels, tensorspin_result *result)
{
    tensorspin_sample *sample = &device->samples[device->waiting];
    int error = TENSORSPIN_OK;
    if (!device->model) return TENSORSPIN_NO_MODEL;
    if (device->waiting == TENSORSPIN_DEPTH) return TENSORSPIN_BUSY;
    sample->levels = levels;
    sample->result = result;
    sample->status = TENSORSPIN_PENDING;
    sample->doubted = false;
    ++device->waiting;
    if (device->workspace) {
        sample->status = (int8_t)device->contract(device->workspace, device->model, levels, result);
    } else if (!device->greeted) {
        error = repair(device);
    } else {
        error = submit(device, sample);
        if (error) tensorspin_give_up(device, error);
    }
    return error;
}

int tensorspin_finish(tensorspin_device *device)
{
    tensorspin_sample *sample = device->samples;
    int error = TENSORSPIN_OK;
    if (!device->waiting) return TENSORSPIN_IDLE;
    if (sample->status == TENSORSPIN_PENDING
        && tensorspin_over(device, device->rejected ? 0 : tensorspin_patience(device))
        && sample->status == TENSORSPIN_PENDING) {
        error = repair(device);
        if (error) return error;
    }
    error = sample->status;
    if (error != TENSORSPIN_PENDING) {
        --device->waiting;
        sample[0] = sample[1];
        if (error) tensorspin_give_up(device, error);
    }
    return error;
}

int tensorspin_run(tensorspin_device *device, const uint8_t *levels, tensorspin_result *result)
{
    int error = device->waiting ? TENSORSPIN_BUSY : tensorspin_start(device, levels, result);
    if (!error) {
        do {
            error = tensorspin_finish(device);
        } while (error == TENSORSPIN_PENDING);
    }
    return error;
}
