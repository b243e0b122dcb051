/* Tensorspin as a co-processor: a driver in C99 without a heap and without an operating system.
 *
 * A board is reached over SPI in mode 0 and one level of an interrupt pin, which the program provides
 * as a `tensorspin_port`. Programs come as headers that `tensorspin export --format c` writes; their
 * tables are const and stay in flash. README.md beside this file shows a first program.
 *
 * Each call returns `TENSORSPIN_OK`, a negative `tensorspin_error`, or a positive number: the status
 * with which the device has refused a request (TENSORSPIN_STATUS_... in tensorspin_protocol.h). After
 * any error the device is usable: calls may be repeated, and begin a new session where one is needed.
 * A call never waits for ever: a line without a device is given up after a tenth of a second.
 */
#ifndef TENSORSPIN_H
#define TENSORSPIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensorspin_protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For functions that are called at several places, and would be copied to each. */
#ifdef __GNUC__
#define TENSORSPIN_ONCE __attribute__((noinline))
#else
#define TENSORSPIN_ONCE
#endif

/* Scores that a result has room for. A program with fewer saves memory with a smaller number, which
 * must then be defined for all files alike. */
#ifndef TENSORSPIN_SCORES
#define TENSORSPIN_SCORES TENSORSPIN_MAX_OUTPUTS
#endif

/* Samples that may be under way: the next one travels while one computes. */
#define TENSORSPIN_DEPTH 2

typedef enum {
    TENSORSPIN_OK = 0,
    TENSORSPIN_PENDING = -1,        /* not finished yet: ask again */
    TENSORSPIN_BUSY = -2,           /* samples or a run are under way: finish them first */
    TENSORSPIN_IDLE = -3,           /* there is nothing to finish */
    TENSORSPIN_TIMEOUT = -4,        /* no device answers: power, bitstream, wires */
    TENSORSPIN_OTHER_PROTOCOL = -5, /* the bitstream speaks another version of the protocol */
    TENSORSPIN_BAD_DEVICE = -6,     /* the device says of itself what cannot be */
    TENSORSPIN_RESTARTED = -7,      /* the device was reset meanwhile: begin again */
    TENSORSPIN_DOES_NOT_FIT = -8,   /* model or problem is not for this device, or it lacks the engine */
    TENSORSPIN_OUT_OF_RANGE = -9,   /* a reading is outside of what the model takes */
    TENSORSPIN_NOT_A_NUMBER = -10,  /* a reading is missing (NaN) where it must not be */
    TENSORSPIN_WRONG_ENERGY = -11,  /* a state does not have the energy that came with it */
    TENSORSPIN_WRONG_ANSWER = -12,  /* the self-test's answer is not the known one: load the model again */
    TENSORSPIN_FAULT = -13,         /* a sample took other cycles than the model's, twice: likewise */
    TENSORSPIN_NO_MODEL = TENSORSPIN_STATUS_NO_MODEL, /* the device lacks model or problem: load it */
    TENSORSPIN_CORRUPT = TENSORSPIN_STATUS_CORRUPT /* the device has read another model than was loaded: likewise */
} tensorspin_error;

/* What the microcontroller provides. */
typedef struct {
    /* One transaction: CS# low, `n` bytes of `bytes` out, CS# high. The bytes that came in meanwhile
     * replace those that went out. n is 1 to 256. */
    void (*transfer)(void *context, uint8_t *bytes, size_t n);
    /* The level of the interrupt pin: whether bytes wait. NULL if it is not wired; the driver then
     * clocks zeros to find out. */
    bool (*ready)(void *context);
    /* Microseconds since some moment; after 2^32 - 1 comes 0. */
    uint32_t (*micros)(void *context);
    void *context;
} tensorspin_port;

/* Numbers of a contractor's size, in the order of TENSORSPIN_CONTRACTOR_LANES and so on: those that a model
 * needs, and all that the driver keeps. */
#define TENSORSPIN_SIZES 6
#define TENSORSPIN_CONTRACTOR_NUMBERS (TENSORSPIN_CONTRACTOR_SIGNATURE + 1)

/* A program for boards of one kind, as `tensorspin export` writes it. */
typedef struct {
    const uint8_t *image;             /* nodes and weights */
    const uint8_t *table;             /* feature table */
    uint32_t image_bytes;
    uint32_t table_bytes;
    uint32_t digest;                  /* by which a device tells it from other programs */
    uint32_t cycles;                  /* clock cycles of a sample on the board it was exported for */
    uint16_t needs[TENSORSPIN_SIZES]; /* of a contractor: these lanes, and at least so much else */
    uint16_t features;                /* levels of a sample */
    uint16_t outputs;                 /* scores of a sample */
    uint32_t throughput_cycles[TENSORSPIN_PIPELINES]; /* of a sample, by the pipeline of the contractor */
    uint32_t single_cycles;           /* in single mode, with these groups and this drain; or 0 */
    uint16_t groups, single_drain;
    uint8_t is_signed;                /* whether the image ends with its signature */
} tensorspin_model;

/* What the groups of a contractor do: all of them compute one sample, or each has one of its own. */
typedef enum { TENSORSPIN_SINGLE, TENSORSPIN_THROUGHPUT } tensorspin_mode;

/* The answer to a sample. */
typedef struct {
    uint32_t cycles;    /* clock cycles that the device took; 0 without a device */
    uint16_t exponent;  /* of all scores: they are scores[k] * 2^-exponent, times the network's scale */
    uint16_t best;      /* index of the greatest score, the first of equals */
    int16_t scores[TENSORSPIN_SCORES];
} tensorspin_result;

/* The device's counters, as it sends them. The functions tensorspin_status_... read them. */
typedef struct {
    uint8_t bytes[TENSORSPIN_STATUS_BYTES];
} tensorspin_counters;

typedef struct tensorspin_device tensorspin_device;

/* A sample that is under way; of the driver alone. */
typedef struct {
    const uint8_t *levels;
    tensorspin_result *result;
    uint8_t sequence;
    int8_t status; /* TENSORSPIN_PENDING until it is answered */
    bool doubted;  /* an answer took other cycles than it must */
} tensorspin_sample;

/* Working memory of the software contraction (tensorspin_software.c), for programs of all boards of
 * the table. */
typedef struct {
    int32_t sums[TENSORSPIN_MAX_OUTPUTS];
    int16_t slots[16][32];
    uint16_t exponents[16];
} tensorspin_workspace;

/* Bytes of the largest packet that a device sends: its description with both engines. */
#define TENSORSPIN_RECEIVE_BYTES 232

/* The driver's memory for one device. All fields are its own; `faults` may be read. */
struct tensorspin_device {
    /* Bytes come first, then larger numbers, and what is large last: Thumb instructions reach so far. */
    uint8_t waiting;                 /* samples under way */
    uint8_t repairs;                 /* since the last answer */
    uint8_t sequence;                /* of the next request */
    uint8_t expected;                /* that a REJECT has named */
    uint8_t awaited;                 /* type of the reply that is waited for */
    bool greeted, answered, rejected, running;
    bool throughput, single;         /* the mode that is wanted; whether all groups compute one sample */
    uint8_t frames;                  /* that may still put off a time-out */
    uint8_t looks;                   /* that a frame may still take after a time-out */
    bool started;                    /* a frame comes in; what is left of its block, its length so far */
    uint8_t block, length;
    uint8_t head[8];                 /* first bytes of a request's payload */
    uint16_t megahertz;              /* of the engines' clock, in units of 2^20 Hz */
    uint16_t variables;              /* of the problem on the annealer; 0: none */
    uint16_t offsets;                /* offset rows of that problem */
    uint16_t least_stride, samples_per_cycle;
    uint16_t annealer[TENSORSPIN_ANNEALER_WINDOW + 1]; /* the number of strides stands for them */
    const uint8_t *data;             /* of the payload behind `head`, and its length */
    size_t data_bytes;
    uint32_t faults;                 /* frames lost, damaged or rejected, and answers in a wrong time */
    uint32_t cycles;                 /* that a sample must take */
    uint32_t moved;                  /* microseconds when something was sent or came last */
    uint32_t run_began, run_limit;   /* microseconds; cycles that the run may take, in units of 16 */
    const tensorspin_model *model;
    tensorspin_workspace *workspace; /* NULL: there is a device */
    int (*contract)(tensorspin_workspace *, const tensorspin_model *, const uint8_t *,
                    tensorspin_result *);
    void (*on_result)(tensorspin_device *);
    void (*on_record)(tensorspin_device *, const uint8_t *record, const uint8_t *end);
    tensorspin_port port;
    tensorspin_sample samples[TENSORSPIN_DEPTH];
    uint16_t contractor[TENSORSPIN_CONTRACTOR_NUMBERS];
    uint8_t body[TENSORSPIN_RECEIVE_BYTES];
};

/* --- Device -------------------------------------------------------------------------------------- */

/* Greet the device. The port is copied. After an error the other calls greet it again. */
int tensorspin_open(tensorspin_device *device, const tensorspin_port *port);

/* Compute without a device: the same calls, the same bits, in software (tensorspin_software.c). */
void tensorspin_open_software(tensorspin_device *device, tensorspin_workspace *workspace);

/* Ask for the counters. */
int tensorspin_status(tensorspin_device *device, tensorspin_counters *counters);

static inline uint32_t tensorspin_counter(const tensorspin_counters *counters, unsigned at,
                                          unsigned bytes)
{
    uint32_t value = 0;
    while (bytes--) value = value << 8 | counters->bytes[at + bytes];
    return value;
}
/* Whether a model is loaded, and its digest. */
static inline bool tensorspin_status_active(const tensorspin_counters *counters)
{
    return counters->bytes[TENSORSPIN_AT_STATUS_ACTIVE] != 0;
}
static inline uint32_t tensorspin_status_digest(const tensorspin_counters *counters)
{
    return tensorspin_counter(counters, TENSORSPIN_AT_STATUS_DIGEST, 4);
}
/* Samples that were contracted since the device was configured, and cycles in which it did so. */
static inline uint32_t tensorspin_status_samples(const tensorspin_counters *counters)
{
    return tensorspin_counter(counters, TENSORSPIN_AT_STATUS_SAMPLES, 4);
}
static inline uint32_t tensorspin_status_busy_cycles(const tensorspin_counters *counters)
{
    return tensorspin_counter(counters, TENSORSPIN_AT_STATUS_BUSY_CYCLES, 4);
}
/* Frames that the device has rejected, by reason. */
static inline uint16_t tensorspin_status_damaged(const tensorspin_counters *counters)
{
    return (uint16_t)tensorspin_counter(counters, TENSORSPIN_AT_STATUS_DAMAGED, 2);
}
static inline uint16_t tensorspin_status_out_of_sequence(const tensorspin_counters *counters)
{
    return (uint16_t)tensorspin_counter(counters, TENSORSPIN_AT_STATUS_OUT_OF_SEQUENCE, 2);
}
static inline uint16_t tensorspin_status_overflows(const tensorspin_counters *counters)
{
    return (uint16_t)tensorspin_counter(counters, TENSORSPIN_AT_STATUS_OVERFLOWS, 2);
}
/* Whether a run of the annealer is under way, and the step that it is in. */
static inline bool tensorspin_status_annealing(const tensorspin_counters *counters)
{
    return counters->bytes[TENSORSPIN_AT_STATUS_ANNEALING] != 0;
}
static inline uint16_t tensorspin_status_step(const tensorspin_counters *counters)
{
    return (uint16_t)tensorspin_counter(counters, TENSORSPIN_AT_STATUS_STEP, 2);
}

/* --- Contractor ---------------------------------------------------------------------------------- */

/* Put a model on the device, unless it holds it already. The model must stay where it is. */
int tensorspin_load(tensorspin_device *device, const tensorspin_model *model);

/* Choose what the device does from the next load on, which sends nothing if it holds the model. In
 * TENSORSPIN_SINGLE, the mode after `tensorspin_open`, an answer comes soonest; in TENSORSPIN_THROUGHPUT each
 * group has a sample of its own. Scores are the same. The mode changes nothing on a board whose groups cannot
 * share a sample, or are others than those of the board that the model was exported for. */
static inline void tensorspin_set_mode(tensorspin_device *device, tensorspin_mode mode)
{
    device->throughput = mode == TENSORSPIN_THROUGHPUT;
}

/* Contract a sample: one level for each feature of the model. An answer that took other clock cycles than
 * the model takes is asked for once more. If that took others, too, the error is TENSORSPIN_FAULT: something
 * else runs than was loaded. The device then holds no model (TENSORSPIN_NO_MODEL) until it is loaded. */
int tensorspin_run(tensorspin_device *device, const uint8_t *levels, tensorspin_result *result);

/* Send a sample and return. Up to TENSORSPIN_DEPTH samples may be under way (TENSORSPIN_BUSY beyond).
 * Levels and result must stay where they are until `tensorspin_finish` has returned for the sample. */
int tensorspin_start(tensorspin_device *device, const uint8_t *levels, tensorspin_result *result);

/* Look whether the oldest sample under way is ready: TENSORSPIN_OK once its result is complete,
 * TENSORSPIN_PENDING if not yet. After any other error no sample is under way. */
int tensorspin_finish(tensorspin_device *device);

/* Samples with known answers, as `tensorspin export` writes them. */
typedef struct {
    const uint8_t *levels;   /* of one sample after the other */
    const int16_t *scores;
    const uint16_t *numbers; /* exponent and class of each sample */
    uint16_t count;          /* of the samples */
} tensorspin_test;

/* Run a test of the model that is loaded: TENSORSPIN_OK, TENSORSPIN_WRONG_ANSWER, or an error. After a wrong
 * answer the device holds no model until it is loaded. The result is that of the sample that was run last. */
int tensorspin_self_test(tensorspin_device *device, const tensorspin_test *test, tensorspin_result *result);

/* A model that is tested every so many samples, is loaded again after a fault, and is computed in software
 * where that does not help (tensorspin_checked.c). */
typedef struct {
    tensorspin_device *device;
    const tensorspin_model *model;
    const tensorspin_test *test;
    tensorspin_device *fallback; /* from `tensorspin_open_software`; NULL: errors are returned */
    uint32_t every;              /* samples from test to test; 0: it is tested when it is loaded alone */
    /* The rest is 0 at first. `error` may be read: why the device gave no last answer, TENSORSPIN_OK if it did. */
    int error;
    bool loaded;
    uint32_t left;               /* samples until the next test, or until the device is tried again */
} tensorspin_checked;

/* Contract a sample on a device that is trusted as far as its tests go: load model and test where needed, and
 * after any error once more. If there is none, the answer is the device's. Else it is the fallback's, with
 * 0 cycles, and the next `every` samples are, too, before the device is tried again. */
int tensorspin_run_checked(tensorspin_checked *checked, const uint8_t *levels, tensorspin_result *result);

/* --- From readings to levels --------------------------------------------------------------------- */

/* How a feature becomes a level. */
typedef struct {
    uint32_t first;  /* first of its thresholds */
    uint16_t column; /* that it reads */
    uint8_t count;   /* of its thresholds */
    uint8_t missing; /* its level if the reading is missing */
} tensorspin_feature;

/* How readings of one type become levels, as `tensorspin export` writes it. */
typedef struct {
    uint16_t features, columns;
    uint8_t bits;               /* of a reading: 32 (float) or 16 (int16_t) */
    const tensorspin_feature *feature;
    const void *thresholds;     /* int32_t or int16_t, in rising order */
    const int32_t *limits;          /* least and greatest reading of each column, as keys */
    const uint8_t *accepts_missing; /* whether a reading may be missing, of each column; NULL: of none */
} tensorspin_scale;

/* Make the levels of a sample: one reading for each column, one level for each feature. They are the
 * host's levels for every reading; what the host refuses is refused (TENSORSPIN_OUT_OF_RANGE, also for
 * infinities, or TENSORSPIN_NOT_A_NUMBER). NaN is a missing reading. The reading of a column of
 * categories is the place of its category in the list that the exported header has for the column. */
int tensorspin_levels(const tensorspin_scale *scale, const float *readings, uint8_t *levels);

/* A missing reading of 16 bits, in columns that may miss values; in others it is a number. */
#define TENSORSPIN_MISSING INT16_MIN

/* The same for readings of 16 bits, with a scale for these. */
int tensorspin_levels_int16(const tensorspin_scale *scale, const int16_t *readings, uint8_t *levels);

/* --- What scores mean ---------------------------------------------------------------------------- */

/* A regressor's numbers: the target is offset + score * factor * 2^(power - exponent). */
typedef struct {
    float offset, factor;
    int32_t power;
} tensorspin_regression;

/* An outlier detector's numbers; `tensorspin.export.model.OutlierNumbers` describes them. */
typedef struct {
    float offset;
    int32_t scale_whole;
    uint32_t scale_fraction;
    uint32_t first_exponent;
    const uint16_t *least;
    uint8_t count;
} tensorspin_outliers;

/* A regressor's target. It differs from the host's by at most 2^-22 of the larger of its offset and its
 * other term, which saturates at the largest float. */
float tensorspin_number(const tensorspin_regression *numbers, const tensorspin_result *result);

/* The log-likelihood of a sample in nats, within 2^-21 of its magnitude and 2^-20 of the host's. */
float tensorspin_log_likelihood(const tensorspin_outliers *numbers, const tensorspin_result *result);

/* How far the log-likelihood is above that of an outlier, in nats. */
float tensorspin_decision(const tensorspin_outliers *numbers, const tensorspin_result *result);

/* Whether a sample is an outlier: the host's answer for every score. */
bool tensorspin_is_outlier(const tensorspin_outliers *numbers, const tensorspin_result *result);

/* --- Annealer ------------------------------------------------------------------------------------ */

/* An Ising problem, E = sum of h_i s_i + sum over i < j of J_ij s_i s_j, in integers. */
typedef struct {
    /* Coupling J_ij of two variables, the same for (i, j) and (j, i); linear term h_i if i is j. */
    int32_t (*coupling)(const void *data, unsigned i, unsigned j);
    const void *data;
    uint16_t variables;
} tensorspin_problem;

/* A step of a schedule: sweeps at the temperature T, in units of the couplings. */
typedef struct {
    uint32_t q; /* exp(-2 / T) * 2^32; below 2^32 */
    uint16_t sweeps;
} tensorspin_step;

/* Put a problem on the annealer. */
int tensorspin_anneal_load(tensorspin_device *device, const tensorspin_problem *problem);

/* Start a run: all replicas begin with all spins +1 and anneal by the schedule. A run with the same seed
 * gives the same results. `refresh`: turns that a replica sits out between two sweeps, usually 0. */
int tensorspin_anneal_start(tensorspin_device *device, const tensorspin_step *steps, uint16_t count,
                            uint32_t seed, uint16_t refresh);

/* Ask whether the run has ended: TENSORSPIN_OK or TENSORSPIN_PENDING. A run that takes more than twice
 * the time that its schedule can take is given up: TENSORSPIN_TIMEOUT, and the problem must be loaded
 * anew. */
int tensorspin_anneal_finish(tensorspin_device *device);

/* Read the best state that a replica has met, +1 or -1 for each variable, and its energy. Replicas are
 * counted from 0; how many there are is device->annealer[TENSORSPIN_ANNEALER_REPLICAS]. The energy is checked against the problem. */
int tensorspin_anneal_read(tensorspin_device *device, const tensorspin_problem *problem,
                           uint16_t replica, int8_t *state, int32_t *energy);

#ifdef __cplusplus
}
#endif
#endif
