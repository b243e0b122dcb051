/* Contraction of a tree tensor network, forward and backward; see trees.h.

   A node takes its left child's vector for the factors and its right child's for the vector of
   `Operations.advance`. Below the root there are two parts, which two threads contract with the
   same results, bit by bit, as one thread does. */

#include "trees.h"

#include <stdlib.h>

#include "layout.h"
#include "operations.h"

/* Room for what a node needs while it is computed, large enough for each of them. */
typedef struct {
    float *tensor;   /* a tensor as the operations want it */
    float *padded;   /* vectors of a leaf, padded */
    float *products; /* for `Operations.outer` */
} Room;

size_t vectors_size(const Node *node, int batch)
{
    return (Size)batch * padded_to_vectors(node->outputs);
}

static Size larger(Size a, Size b)
{
    return a > b ? a : b;
}

static int allocate(const Tree *t, Room *room)
{
    Size tensor = 1, products = PRODUCTS;
    Size padded = (Size)t->batch * padded_to_vectors(t->leaf_dim);
    for (int i = 0; i < t->n_nodes; i++) {
        const Node *n = &t->nodes[i];
        const Size k = padded_to_vectors(n->outputs), a = padded_to_vectors(n->n_left);
        const Size b = padded_to_vectors(n->n_right);
        tensor = larger(tensor, k * a * b);
        products = larger(products, a * b);
    }
    room->tensor = malloc((tensor + padded + products) * sizeof *room->tensor);
    if (!room->tensor)
        return 0;
    room->padded = room->tensor + tensor;
    room->products = room->padded + padded;
    return 1;
}

/* Vectors of a child. */
static Rows vectors_of(const Tree *t, int child)
{
    if (child < t->n_leaves)
        return rows(t->features + (Size)child * t->batch * t->leaf_dim, t->leaf_dim);
    const Node *node = &t->nodes[child - t->n_leaves];
    return rows(t->vectors + node->start, padded_to_vectors(node->outputs));
}

static void contract_node(const Tree *t, int index, Room *room)
{
    const Node *n = &t->nodes[index];
    const int columns = padded_to_vectors(n->outputs);
    const Operations *operations = operations_for(columns);
    float *out = t->vectors + n->start;
    transpose(n->weights, n->k_stride, n->a_stride, n->outputs, n->n_left, n->n_right, room->tensor,
              columns);
    operations->advance(vectors_of(t, n->right), room->tensor, n->n_right, columns, n->n_left,
                        vectors_of(t, n->left), out, t->batch, 0);
    if (n->part != 2) {
        operations->normalise(out, columns, t->batch, t->norms + (Size)index * t->batch);
        return;
    }
    for (int k = 0; k < n->outputs; k++)
        for (int sample = 0; sample < t->batch; sample++)
            t->scores[(Size)k * t->batch + sample] = out[(Size)sample * columns + k];
}

int contract_part(const Tree *t, int part)
{
    Room room;
    if (!allocate(t, &room))
        return 0;
    for (int i = 0; i < t->n_nodes; i++)
        if (t->nodes[i].part == part)
            contract_node(t, i, &room);
    free(room.tensor);
    return 1;
}

static float *gradient_of(const Tree *t, int child)
{
    return t->vector_gradients + t->nodes[child - t->n_leaves].start;
}

static void write_gradient(const Tree *t, const Node *n, Rows gradient, Room *room)
{
    const int columns = padded_to_vectors(n->n_right);
    const int outputs = (n->outputs + 3) / 4 * 4;
    Rows right = vectors_of(t, n->right);
    if (n->right < t->n_leaves) {
        copy_rows(right.at, t->leaf_dim, room->padded, columns, (Size)t->batch);
        right = rows(room->padded, columns);
    }
    operations_for(columns)->outer(gradient, outputs, right, columns, n->n_left,
                                   vectors_of(t, n->left), room->tensor, t->batch, room->products);
    memset(n->gradient, 0, n->size * sizeof *n->gradient);
    for (int k = 0; k < n->outputs; k++)
        for (int a = 0; a < n->n_left; a++)
            memcpy(n->gradient + k * n->k_stride + a * n->a_stride,
                   room->tensor + ((Size)k * n->n_left + a) * columns,
                   (Size)n->n_right * sizeof *n->gradient);
}

static void backpropagate_node(const Tree *t, int index, Room *room)
{
    const Node *n = &t->nodes[index];
    const int width = padded_to_vectors(n->outputs);
    float *own = t->vector_gradients + n->start;
    if (n->part == 2) {
        for (int sample = 0; sample < t->batch; sample++)
            for (int k = 0; k < width; k++)
                own[(Size)sample * width + k] =
                    k < n->outputs ? t->score_gradient[(Size)k * t->batch + sample] : 0;
    } else
        operations_for(width)->divide(own, width, t->batch, t->norms + (Size)index * t->batch);
    const Rows gradient = rows(own, width);
    write_gradient(t, n, gradient, room);
    if (n->right >= t->n_leaves) {
        const int columns = padded_to_vectors(n->n_right);
        for (int k = 0; k < n->outputs; k++)
            for (int a = 0; a < n->n_left; a++)
                copy_rows(n->weights + k * n->k_stride + a * n->a_stride, n->n_right,
                          room->tensor + ((Size)k * n->n_left + a) * columns, columns, 1);
        operations_for(columns)->advance(gradient, room->tensor, n->outputs, columns, n->n_left,
                                         vectors_of(t, n->left),
                                         gradient_of(t, n->right), t->batch, 0);
    }
    if (n->left >= t->n_leaves) {
        const int columns = padded_to_vectors(n->n_left);
        for (int k = 0; k < n->outputs; k++)
            transpose(n->weights + k * n->k_stride, n->a_stride, 0, n->n_left, 1, n->n_right,
                      room->tensor + (Size)k * n->n_right * columns, columns);
        operations_for(columns)->advance(gradient, room->tensor, n->outputs, columns, n->n_right,
                                         vectors_of(t, n->right),
                                         gradient_of(t, n->left), t->batch, 0);
    }
}

int backpropagate_part(const Tree *t, int part)
{
    Room room;
    if (!allocate(t, &room))
        return 0;
    for (int i = t->n_nodes - 1; i >= 0; i--)
        if (t->nodes[i].part == part)
            backpropagate_node(t, i, &room);
    free(room.tensor);
    return 1;
}
