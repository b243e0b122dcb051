/* Contraction of two half-chains with a label tensor, forward and backward; see chains.h.

   The two half-chains have nothing in common but the label tensor: two threads contract them with
   the same results, bit by bit, as one thread does. */

#include "chains.h"
#include "layout.h"
#include "operations.h"

#include <stdlib.h>

int normalisations(int n_steps, int interval)
{
    return (n_steps - 1) / interval + 1;
}

/* Index of the normalisation after a step, -1 if there is none. */
static int normalisation(const Chains *c, int step)
{
    const int due = step % c->interval == c->interval - 1 || step == c->n_steps - 1;
    return due ? step / c->interval : -1;
}

static float *vectors_of(const Chains *c, int step, int half)
{
    return c->vectors + (Size)(2 * step + half) * c->batch * c->width;
}

static float *norms_of(const Chains *c, int index, int half)
{
    return c->norms + (Size)(2 * index + half) * c->batch;
}

static const float *features_of(const Chains *c, int step, int half)
{
    return c->features + (Size)(2 * step + half) * c->batch * c->dim;
}

static Size core_size(const Chains *c)
{
    return (Size)c->bond * c->dim * c->bond;
}

static Size padded_size(const Chains *c)
{
    return (Size)c->width * c->dim * c->width;
}

int contract_half(const Chains *c, int half)
{
    const Operations *operations = operations_for(c->width);
    float *core = malloc(padded_size(c) * sizeof *core);
    if (!core)
        return 0;
    float *first = vectors_of(c, 0, half);
    memset(first, 0, (Size)c->batch * c->width * sizeof *first);
    for (int n = 0; n < c->batch; n++)
        first[(Size)n * c->width] = 1;
    for (int step = 0; step < c->n_steps; step++) {
        const float *before = vectors_of(c, step, half);
        float *after = vectors_of(c, step + 1, half);
        int depth = c->depths[2 * step + half], index = normalisation(c, step);
        if (depth) {
            const float *weights = c->weights + (2 * step + half) * core_size(c);
            transpose(weights, (Size)c->dim * c->bond, (Size)c->bond, c->bond, c->dim, c->bond,
                      core, c->width);
            operations->advance(rows(before, c->width), core, depth, c->width, c->dim,
                                rows(features_of(c, step, half), c->dim), after, c->batch, 0);
        } else
            memcpy(after, before, (Size)c->batch * c->width * sizeof *after);
        if (index >= 0)
            operations->normalise(after, c->width, c->batch, norms_of(c, index, half));
    }
    free(core);
    return 1;
}

int join_halves(const Chains *c)
{
    const Operations *operations = operations_for(c->width);
    const float *left = vectors_of(c, c->n_steps, 0), *right = vectors_of(c, c->n_steps, 1);
    Size matrix = (Size)c->width * c->width;
    float *room = malloc((matrix + (Size)c->batch * (c->width + 1)) * sizeof *room);
    if (!room)
        return 0;
    float *padded = room, *product = padded + matrix;
    float *ones = product + (Size)c->batch * c->width;
    for (int n = 0; n < c->batch; n++)
        ones[n] = 1;
    for (int k = 0; k < c->n_outputs; k++) {
        copy_rows(c->label + (Size)k * c->bond * c->bond, c->bond, padded, c->width, c->bond);
        operations->advance(rows(left, c->width), padded, c->bond, c->width, 1, rows(ones, 1),
                            product, c->batch, 0);
        operations->dot(product, right, c->width, c->batch, c->scores + (Size)k * c->batch);
    }
    free(room);
    return 1;
}

/* gradient[n] = derivative of the loss with respect to the last vector of a half-chain. */
static void begin_backward(const Chains *c, int half, float *padded, float *gradient)
{
    const Operations *operations = operations_for(c->width);
    const float *other = vectors_of(c, c->n_steps, 1 - half);
    for (int k = 0; k < c->n_outputs; k++) {
        const float *label = c->label + (Size)k * c->bond * c->bond;
        if (half == 0)
            transpose(label, (Size)c->bond, 0, c->bond, 1, c->bond, padded, c->width);
        else
            copy_rows(label, c->bond, padded, c->width, c->bond);
        operations->advance(rows(other, c->width), padded, c->bond, c->width, 1,
                            rows(c->score_gradient + (Size)k * c->batch, 1), gradient, c->batch,
                            k > 0);
    }
}

static void write_label_gradient(const Chains *c, int half, float *padded, float *products)
{
    const Operations *operations = operations_for(c->width);
    const float *left = vectors_of(c, c->n_steps, 0), *right = vectors_of(c, c->n_steps, 1);
    int middle = (c->n_outputs + 1) / 2;
    for (int k = half ? middle : 0; k < (half ? c->n_outputs : middle); k++) {
        operations->outer(rows(left, c->width), c->width, rows(right, c->width), c->width, 1,
                          rows(c->score_gradient + (Size)k * c->batch, 1), padded, c->batch,
                          products);
        copy_rows(padded, c->width, c->label_gradient + (Size)k * c->bond * c->bond, c->bond,
                  c->bond);
    }
}

int backpropagate_half(const Chains *c, int half)
{
    const Operations *operations = operations_for(c->width);
    Size vectors = (Size)c->batch * c->width, row = (Size)c->dim * c->width;
    Size products = row > PRODUCTS ? row : PRODUCTS;
    float *room = malloc((2 * vectors + products + padded_size(c)) * sizeof *room);
    if (!room)
        return 0;
    float *gradient = room, *next = gradient + vectors, *product = next + vectors;
    float *padded = product + products;
    begin_backward(c, half, padded, gradient);
    write_label_gradient(c, half, padded, product);
    for (int step = c->n_steps - 1; step >= 0; step--) {
        Size offset = (2 * step + half) * core_size(c);
        float *weight_gradient = c->weight_gradient + offset;
        const float *weights = c->weights + offset;
        Rows features = rows(features_of(c, step, half), c->dim);
        int index = normalisation(c, step);
        if (!c->depths[2 * step + half]) {
            memset(weight_gradient, 0, core_size(c) * sizeof *weight_gradient);
            continue; /* all steps before it are padding, too */
        }
        if (index >= 0)
            operations->divide(gradient, c->width, c->batch, norms_of(c, index, half));
        /* A bond that fits needs no copies. */
        float *to = c->width == c->bond ? weight_gradient : padded;
        operations->outer(rows(gradient, c->width), c->width,
                          rows(vectors_of(c, step, half), c->width), c->width, c->dim, features,
                          to, c->batch, product);
        if (to == padded)
            copy_rows(padded, c->width, weight_gradient, c->bond, (Size)c->bond * c->dim);
        if (!step || !c->depths[2 * (step - 1) + half])
            continue;
        if (c->width != c->bond) {
            copy_rows(weights, c->bond, padded, c->width, (Size)c->bond * c->dim);
            weights = padded;
        }
        int last = step == c->n_steps - 1;
        operations->advance(rows(gradient, c->width), weights,
                            last ? c->bond : c->depths[2 * (step + 1) + half],
                            c->width, c->dim, features, next, c->batch, 0);
        float *swapped = gradient;
        gradient = next;
        next = swapped;
    }
    free(room);
    return 1;
}
