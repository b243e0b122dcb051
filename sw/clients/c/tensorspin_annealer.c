/* Problems for the annealer, runs, and their results.
 *
 * The layouts are those of tensorspin/contract/annealer/image.py. A device that is reset loses them, so
 * everything from the first write to the last result happens in one session: a greeting forgets the
 * problem.
 */
#include "tensorspin_link.h"

enum {
    BLOCK = 32, /* spins whose couplings are written at a time; they fill whole bytes */
    MOST_DIGITS = 24,
    MOST_SEEDS = 9, /* the parameters of a run take the place of one */
    /* Beyond twice its longest time a run is given this time more, in units of 16 cycles: 2 ms at 30 MHz,
     * for a clock that counts milliseconds. */
    RUN_MARGIN = 4096,
    MOST_STATE_BYTES = TENSORSPIN_RECEIVE_BYTES - 32
};

/* A number of the annealer's size. */
#define SIZE(device, name) ((device)->annealer[TENSORSPIN_ANNEALER_##name])

/* The address of a row: rows begin at multiples of a power of two. */
TENSORSPIN_ONCE static uint32_t address_of(uint32_t row, unsigned bytes)
{
    for (unsigned stride = 1; stride < bytes; stride *= 2) row *= 2;
    return row;
}

static unsigned first_spin(const tensorspin_device *device)
{
    return (unsigned)SIZE(device, SPINS) - device->variables;
}

static int32_t coupling(const tensorspin_problem *problem, unsigned i, unsigned j)
{
    return problem->coupling(problem->data, i, j);
}

/* Writes couplings of a block of spins to a row; nothing if all are 0, as after CLEAR. */
static int write_block(tensorspin_device *device, unsigned row, unsigned spin, const int32_t *values)
{
    const unsigned bits = SIZE(device, COUPLING_BITS);
    uint8_t bytes[BLOCK];
    uint32_t pending = 0, any = 0;
    unsigned held = 0, count = 0;
    for (unsigned k = 0; k < BLOCK; ++k) {
        any |= (uint32_t)values[k];
        pending |= ((uint32_t)values[k] & ((1u << bits) - 1)) << held;
        for (held += bits; held >= 8; held -= 8, pending >>= 8) bytes[count++] = (uint8_t)pending;
    }
    if (!any) return TENSORSPIN_OK;
    return tensorspin_write(device, TENSORSPIN_SPACE_COUPLINGS,
                            address_of(row, (SIZE(device, SPINS) * bits + 7) / 8) + spin * bits / 8, bytes,
                            count);
}

/* Writes the couplings of a block of spins to all rows, and the offset rows, which make up their fields
 * at the start. */
TENSORSPIN_ONCE static int write_columns(tensorspin_device *device, const tensorspin_problem *problem, unsigned spin)
{
    const int32_t limit = (INT32_C(1) << (SIZE(device, COUPLING_BITS) - 1)) - 1;
    const uint32_t greatest = (UINT32_C(1) << (SIZE(device, FIELD_BITS) - 1)) - 1;
    const unsigned first = first_spin(device);
    int32_t values[BLOCK], fields[BLOCK];
    uint32_t bounds[BLOCK];
    unsigned i, k, row = SIZE(device, SPINS);
    int error = TENSORSPIN_OK;
    bool more = true;
    tensorspin_clear(fields, sizeof fields);
    tensorspin_clear(bounds, sizeof bounds);
    for (i = 0; i < device->variables && !error; ++i) {
        for (k = 0; k < BLOCK; ++k) {
            const unsigned j = spin + k - first; /* beyond the variables if there is none */
            int32_t value = j < device->variables ? coupling(problem, i, j) : 0;
            /* A field is greatest in magnitude where all of its terms have the same sign. */
            bounds[k] += value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
            if (bounds[k] > greatest) return TENSORSPIN_DOES_NOT_FIT;
            fields[k] += value;
            if (i == j) value = 0;
            if (value > limit || value < -limit) return TENSORSPIN_DOES_NOT_FIT;
            values[k] = value;
        }
        error = write_block(device, first + i, spin, values);
    }
    /* Lowest bits first, which no flip changes; the rest is halved and split into entries of rows. */
    for (i = 0; more && !error; ++i, ++row) {
        more = false;
        for (k = 0; k < BLOCK; ++k) {
            int32_t value = fields[k];
            if (!i) {
                values[k] = value & 1;
                fields[k] = value >> 1;
            } else {
                if (value > limit) value = limit;
                if (value < -limit) value = -limit;
                values[k] = value;
                fields[k] -= value;
            }
            more = more || fields[k];
        }
        /* After the last row of the memory, rows of spins that are not in use go on. */
        if (i >= SIZE(device, OFFSET_ROWS)) {
            row = i - SIZE(device, OFFSET_ROWS);
            if (row >= first) return TENSORSPIN_DOES_NOT_FIT;
        }
        error = write_block(device, row, spin, values);
        if (device->offsets <= i) device->offsets = (uint16_t)(i + 1);
    }
    return error;
}

/* Reads what a greeted device says of its annealer: its numbers, those behind the strides as if there were
 * none. */
static void read_record(tensorspin_device *device, const uint8_t *record, const uint8_t *end)
{
    uint16_t *to = device->annealer;
    unsigned strides = 0;
    tensorspin_clear(to, sizeof device->annealer);
    device->samples_per_cycle = 0;
    device->least_stride = UINT16_MAX;
    for (; record < end; record += TENSORSPIN_SIZE_BYTES) {
        const uint16_t number = (uint16_t)tensorspin_get(record, 2);
        if (strides) {
            --strides;
            device->samples_per_cycle = (uint16_t)(device->samples_per_cycle + number);
            if (number < device->least_stride) device->least_stride = number;
        } else if (to > &SIZE(device, WINDOW)) {
            /* Several flips a turn: its memories are laid out otherwise, so there are no spins for us. What
             * else may follow, flags of 0 or 1, changes nothing that we write. */
            if (number > 1) SIZE(device, SPINS) = 0;
        } else {
            *to++ = number;
            if (to == &SIZE(device, STRIDES) + 1) strides = number;
        }
    }
}

int tensorspin_anneal_load(tensorspin_device *device, const tensorspin_problem *problem)
{
    int error = TENSORSPIN_BUSY;
    if (device->waiting || device->running) return error;
    /* Only a greeting tells of the annealer. */
    if (!device->on_record) device->greeted = false;
    device->on_record = read_record;
    for (int tries = TENSORSPIN_UPLOADS; tries; --tries) {
        unsigned spin;
        error = tensorspin_greet(device);
        if (error) break;
        /* A device without an annealer has no spins; no engine has wider numbers. */
        if (!problem->variables || problem->variables > SIZE(device, SPINS)
            || SIZE(device, SPINS) > 8 * MOST_STATE_BYTES || SIZE(device, STRIDES) > MOST_DIGITS
            || SIZE(device, COUPLING_BITS) - 2u > 6 || SIZE(device, FIELD_BITS) - 2u > 22
            || !SIZE(device, REPLICAS) || !device->least_stride) {
            return TENSORSPIN_DOES_NOT_FIT;
        }
        device->variables = problem->variables;
        device->offsets = 0;
        device->head[4] = 0;
        error = tensorspin_write(device, TENSORSPIN_SPACE_CLEAR, 0, &device->head[4], 1);
        for (spin = first_spin(device) & ~7u; spin < SIZE(device, SPINS) && !error; spin += BLOCK) {
            error = write_columns(device, problem, spin);
        }
        if (error != TENSORSPIN_RESTARTED) break;
    }
    if (error) device->variables = 0;
    return error;
}

/* The probability of a digit, q / (1 + q), in units of 2^-17: a long division, rounded half up. */
TENSORSPIN_ONCE static uint32_t probability(uint32_t q)
{
    const uint32_t whole = 0x80000000u + (q >> 1);
    uint32_t part = q >> 1, quotient = 0;
    for (int bit = TENSORSPIN_PROBABILITY_FRACTION_BITS; bit >= 0; --bit) {
        const uint32_t rest = whole - part;
        quotient *= 2;
        if (part >= rest) {
            ++quotient;
            part -= rest;
        } else {
            part *= 2;
        }
    }
    quotient = (quotient + 1) >> 1;
    return quotient > UINT16_MAX ? UINT16_MAX : quotient;
}

static int write_step(tensorspin_device *device, unsigned index, const tensorspin_step *step)
{
    uint8_t bytes[2 * (MOST_DIGITS + TENSORSPIN_STEP_FIELDS)], *at = bytes;
    uint32_t q = step->q;
    tensorspin_clear(bytes, sizeof bytes);
    for (unsigned digits = SIZE(device, STRIDES); digits--; at += 2) {
        tensorspin_put(at, probability(q), 2);
        q = (uint32_t)((uint64_t)q * q >> 32); /* each digit is worth twice the one before */
    }
    /* So hot that thresholds would need one digit more. */
    if (probability(q)) return TENSORSPIN_DOES_NOT_FIT;
    tensorspin_put(at + 2 * TENSORSPIN_STEP_SWEEPS, step->sweeps, 2);
    at += 2 * TENSORSPIN_STEP_FIELDS;
    return tensorspin_write(device, TENSORSPIN_SPACE_STEPS, address_of(index, (unsigned)(at - bytes)),
                            bytes, (uint32_t)(at - bytes));
}

int tensorspin_anneal_start(tensorspin_device *device, const tensorspin_step *steps, uint16_t count,
                            uint32_t seed, uint16_t refresh)
{
    uint8_t run[TENSORSPIN_SEED_BYTES * MOST_SEEDS], *at = run + TENSORSPIN_SEED_BYTES;
    unsigned samples = device->samples_per_cycle + SIZE(device, TEMPERING);
    unsigned fill = device->offsets, passed = 0, stride = device->least_stride;
    unsigned window = SIZE(device, WINDOW), turn = 1;
    uint16_t fields[TENSORSPIN_RUN_FIELDS];
    uint32_t sweeps = 0;
    uint64_t cycles;
    int error = TENSORSPIN_OK;
    if (device->running) return TENSORSPIN_BUSY;
    if (!device->variables) return TENSORSPIN_NO_MODEL;
    if (!count || count > SIZE(device, STEPS)) return TENSORSPIN_DOES_NOT_FIT;
    for (unsigned index = 0; index < count; ++index) {
        if (!steps[index].sweeps) return TENSORSPIN_DOES_NOT_FIT;
        error = write_step(device, index, &steps[index]);
        if (error) return error;
        sweeps += steps[index].sweeps;
    }
    if (SIZE(device, RING)) samples += stride;
    if (!SIZE(device, TEMPERING)) stride *= SIZE(device, REPLICAS);
    /* Rounds before the first comparison: one more than offset rows, and as many as renew the samples of
     * all spins; with windows, one does. */
    for (passed = (fill + 1) * stride; !SIZE(device, WINDOW) && passed < SIZE(device, SPINS); ++fill) {
        passed += stride;
    }
    /* The most cycles: every visit of every sweep is a flip. With windows, a turn takes one for each in
     * which there are variables, or a least number. */
    if (window) turn = TENSORSPIN_MIN_TURN;
    for (unsigned held = turn * window; window && held < device->variables; held += window) ++turn;
    cycles = ((uint64_t)sweeps * (device->variables + 1u + refresh)
              + fill + 1 + TENSORSPIN_STEP_ROUNDS * count)
             * (turn * SIZE(device, REPLICAS));
    if (cycles > UINT32_MAX) return TENSORSPIN_DOES_NOT_FIT; /* more than the device can count */
    device->run_limit = (uint32_t)(cycles >> 3) + RUN_MARGIN;
    tensorspin_clear(run, sizeof run);
    fields[TENSORSPIN_RUN_FIRST] = (uint16_t)first_spin(device);
    fields[TENSORSPIN_RUN_OFFSET_ROWS] = device->offsets;
    fields[TENSORSPIN_RUN_INITIAL] = 0;
    fields[TENSORSPIN_RUN_FILL] = (uint16_t)(fill + 1);
    fields[TENSORSPIN_RUN_REFRESH] = refresh;
    fields[TENSORSPIN_RUN_STEPS] = count;
    for (unsigned k = 0; k < TENSORSPIN_RUN_FIELDS; ++k) tensorspin_put(run + 2 * k, fields[k], 2);
    do {
        const uint8_t *end = at + TENSORSPIN_SEED_BYTES;
        if (end > run + sizeof run) return TENSORSPIN_DOES_NOT_FIT;
        for (; at < end; at += 4) {
            /* A counter whose bits are mixed well, so that seeds that follow each other differ much. */
            uint32_t mixed = seed += 0x9e3779b9u;
            mixed = (mixed ^ mixed >> 16) * 0x21f0aaadu;
            mixed = (mixed ^ mixed >> 15) * 0x735a2d97u;
            tensorspin_put(at, mixed ^ mixed >> 15, 4);
        }
        samples -= TENSORSPIN_SAMPLES_PER_GENERATOR;
    } while ((int)samples > 0);
    device->data = run;
    device->data_bytes = (size_t)(at - run);
    error = tensorspin_ask(device, TENSORSPIN_ANNEAL, 0);
    device->running = !error;
    device->run_began = device->moved;
    return error;
}

int tensorspin_anneal_finish(tensorspin_device *device)
{
    int error = TENSORSPIN_IDLE;
    if (device->running) {
        const uint32_t passed = device->port.micros(device->port.context) - device->run_began;
        error = tensorspin_ask(device, TENSORSPIN_STATUS, 0);
        if (!error && device->body[TENSORSPIN_AT_REPLY + TENSORSPIN_AT_STATUS_ANNEALING]) {
            /* Asked after twice the longest time, a device that works has ended the run. */
            if ((passed >> 4) * device->megahertz <= device->run_limit) return TENSORSPIN_PENDING;
            device->greeted = false;
            error = TENSORSPIN_TIMEOUT;
        }
        device->running = false;
    }
    return error;
}

static int read_results(tensorspin_device *device, uint32_t address, unsigned bytes)
{
    int error;
    tensorspin_put(device->head, address | (uint32_t)TENSORSPIN_SPACE_RESULTS << 24, 4);
    device->head[4] = (uint8_t)bytes;
    error = tensorspin_ask(device, TENSORSPIN_READ, 5);
    return !error && device->body[2] != bytes + 1 ? TENSORSPIN_BAD_DEVICE : error;
}

int tensorspin_anneal_read(tensorspin_device *device, const tensorspin_problem *problem,
                           uint16_t replica, int8_t *state, int32_t *energy)
{
    const uint8_t *reply = device->body + TENSORSPIN_AT_REPLY;
    const unsigned bytes = (SIZE(device, SPINS) + 7u) / 8u;
    uint32_t address = address_of(replica, TENSORSPIN_RESULT_HEADER_BYTES + 2 * bytes);
    uint32_t other = 0, found = 0; /* energies; of another problem than the loaded one they may wrap */
    int error;
    if (device->running) return TENSORSPIN_BUSY;
    if (!device->variables || problem->variables != device->variables) return TENSORSPIN_NO_MODEL;
    if (replica >= SIZE(device, REPLICAS)) return TENSORSPIN_DOES_NOT_FIT;
    error = read_results(device, address, TENSORSPIN_RESULT_HEADER_BYTES);
    if (error) return error;
    /* Twice this is the energy of the best state, counted from that of the state with all spins +1. */
    other = tensorspin_get(reply + 4, 4) * 2;
    error = read_results(device, address + TENSORSPIN_RESULT_HEADER_BYTES + bytes, bytes);
    if (error) return error;
    for (unsigned i = 0; i < device->variables; ++i) {
        const unsigned spin = first_spin(device) + i;
        state[i] = reply[spin / 8] >> spin % 8 & 1 ? -1 : 1;
        for (unsigned j = 0; j <= i; ++j) {
            const uint32_t value = (uint32_t)coupling(problem, i, j);
            const int32_t sign = j == i ? state[i] : state[i] * state[j];
            other += value;
            found += value * (uint32_t)sign;
        }
    }
    *energy = (int32_t)found;
    return found == other ? TENSORSPIN_OK : TENSORSPIN_WRONG_ENERGY;
}
