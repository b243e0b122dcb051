/* The norm of a chain with one output; see partition.h.

   The environment of a bond is a matrix whose two indices belong to the two factors psi of psi^2.
   Rows of matrices are padded, so that what is made for vectors of samples serves them. */

#include "partition.h"

#include <stdlib.h>

#include "layout.h"
#include "operations.h"

/* What one half-chain needs: of each step what the way back needs, and room for one step. */
typedef struct {
    float *halves;      /* (n_steps, bond, dim, width): core times environment */
    float *traces;      /* (n_steps) */
    float *core;        /* (width, dim, width): a core with padded rows */
    float *transposed;  /* (dim, width, width): component, incoming, outgoing bond */
    float *product;     /* (width, dim, width) */
    float *environment; /* (width, width) */
    float *next;        /* (width, width) */
    float *ones;        /* (width * dim) */
    float *products;    /* for `Operations.outer` */
} Room;

static int allocate(const Partition *p, Room *room)
{
    const Size matrix = (Size)p->width * p->width, core = matrix * p->dim;
    const Size row = (Size)p->width * p->dim;
    const Size products = row > PRODUCTS ? row : PRODUCTS;
    float *at = calloc(core * p->n_steps + p->n_steps + 3 * core + 2 * matrix + row + products,
                       sizeof *at);
    if (!at)
        return 0;
    room->halves = at;
    room->traces = at += core * p->n_steps;
    room->core = at += p->n_steps;
    room->transposed = at += core;
    room->product = at += core;
    room->environment = at += core;
    room->next = at += matrix;
    room->ones = at += matrix;
    room->products = at + row;
    for (Size i = 0; i < row; i++)
        room->ones[i] = 1;
    return 1;
}

/* out = x @ w for `count` rows of x, `depth` rows of w, and `columns`. */
static void multiply(Rows x, const float *w, int depth, int columns, const Room *room, float *out,
                     int count)
{
    operations_for(columns)->advance(x, w, depth, columns, 1, rows(room->ones, 1), out, count, 0);
}

static Size offset_of(const Partition *p, int step, int half)
{
    return (Size)(2 * step + half) * p->bond * p->dim * p->bond;
}

static float *halves_of(const Partition *p, const Room *room, int step)
{
    return room->halves + (Size)step * p->width * p->dim * p->width;
}

/* Extend the environment of a half-chain, from its end to the label tensor. */
static void extend(const Partition *p, int half, Room *room)
{
    const int width = p->width, row = p->dim * width;
    room->environment[0] = 1;
    for (int step = 0; step < p->n_steps; step++) {
        room->traces[step] = 1;
        if (!p->depths[2 * step + half])
            continue;
        const float *weights = p->weights + offset_of(p, step, half);
        float *halves = halves_of(p, room, step);
        multiply(rows(weights, p->bond), room->environment, p->bond, width, room, halves,
                 p->bond * p->dim);
        for (int component = 0; component < p->dim; component++)
            transpose(weights + component * p->bond, (Size)p->dim * p->bond, 0, p->bond, 1, p->bond,
                      room->transposed + (Size)component * width * width, width);
        multiply(rows(halves, row), room->transposed, row, width, room, room->next, p->bond);
        float trace = 0;
        for (int a = 0; a < p->bond; a++)
            trace += room->next[(Size)a * width + a];
        /* Divided by its trace, an environment stays in range in chains of any length. */
        room->traces[step] = trace;
        for (Size i = 0; i < (Size)p->bond * width; i++)
            room->environment[i] = room->next[i] / trace;
    }
}

/* Write the gradients of a half-chain, from the label tensor to its end; `environment` holds the
   derivative by the last environment. */
static void retreat(const Partition *p, int half, Room *room)
{
    const int width = p->width, row = p->dim * width;
    for (int step = p->n_steps - 1; step >= 0; step--) {
        float *gradient = p->weight_gradient + offset_of(p, step, half);
        const Size core = (Size)p->bond * p->dim * p->bond;
        if (!p->depths[2 * step + half]) {
            memset(gradient, 0, core * sizeof *gradient);
            continue;
        }
        for (Size i = 0; i < (Size)p->bond * width; i++)
            room->environment[i] /= room->traces[step];
        const Rows adjoint = rows(room->environment, width);
        multiply(adjoint, halves_of(p, room, step), p->bond, row, room, room->product, p->bond);
        copy_rows(room->product, width, gradient, p->bond, (Size)p->bond * p->dim);
        for (Size i = 0; i < core; i++)
            gradient[i] *= 2;
        if (!step || !p->depths[2 * (step - 1) + half])
            continue;
        copy_rows(p->weights + offset_of(p, step, half), p->bond, room->core, width,
                  (Size)p->bond * p->dim);
        multiply(adjoint, room->core, p->bond, row, room, room->product, p->bond);
        operations_for(width)->outer(rows(room->core, width), width, rows(room->product, width),
                                     width, 1, rows(room->ones, 1), room->next, p->bond * p->dim,
                                     room->products);
        memcpy(room->environment, room->next, (Size)p->bond * width * sizeof *room->next);
    }
}

int log_partition(Partition *p)
{
    Room left, right;
    if (!allocate(p, &left))
        return 0;
    if (!allocate(p, &right)) {
        free(left.halves);
        return 0;
    }
    extend(p, 0, &left);
    extend(p, 1, &right);
    p->log_z = 0;
    for (int step = 0; step < p->n_steps; step++)
        p->log_z += log((double)left.traces[step]) + log((double)right.traces[step]);

    /* Both half-chains meet at the label tensor, once for each factor psi. */
    const int bond = p->bond, width = p->width;
    float *label = left.core, *transposed = right.core;
    copy_rows(p->label, bond, label, width, bond);
    transpose(p->label, (Size)bond, 0, bond, 1, bond, transposed, width);
    float *before = left.product, *after = right.product, *half = left.next;
    multiply(rows(left.environment, width), label, bond, width, &left, before, bond);
    multiply(rows(label, width), right.environment, bond, width, &left, after, bond);
    multiply(rows(before, width), right.environment, bond, width, &left, half, bond);
    double z = 0;
    for (Size i = 0; i < (Size)bond * width; i++)
        z += (double)half[i] * (double)label[i];
    p->log_z += log(z);
    copy_rows(half, width, p->label_gradient, bond, bond);
    for (Size i = 0; i < (Size)bond * bond; i++)
        p->label_gradient[i] *= (float)(2 / z);
    /* Derivatives with respect to the environments. */
    multiply(rows(after, width), transposed, bond, width, &left, left.environment, bond);
    multiply(rows(transposed, width), before, bond, width, &left, right.environment, bond);
    for (Size i = 0; i < (Size)bond * width; i++) {
        left.environment[i] /= (float)z;
        right.environment[i] /= (float)z;
    }
    retreat(p, 0, &left);
    retreat(p, 1, &right);
    free(left.halves);
    free(right.halves);
    return 1;
}
