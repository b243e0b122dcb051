/* Contraction of a tree tensor network, forward and backward. */

#ifndef TENSORSPIN_TREES_H
#define TENSORSPIN_TREES_H

#include <stddef.h>

/* A node: vector[k] = sum over a, b of weights[k][a][b] * left[a] * right[b]. */
typedef struct {
    int left, right;          /* children: a leaf, or n_leaves plus the number of a node before */
    int outputs, n_left, n_right; /* numbers of k, a and b */
    int part;                 /* 0 below the root's left child, 1 below its right one, 2 the root */
    size_t k_stride, a_stride; /* distance of neighbouring k and a in memory; that of b is 1 */
    size_t size;              /* number of floats of the tensor, with its padding */
    const float *weights;
    float *gradient;          /* as weights */
    size_t start;             /* where the node's vectors begin in `vectors` */
} Node;

typedef struct {
    int n_leaves, n_nodes, leaf_dim, batch;
    const Node *nodes;     /* children before their parents; the last is the root */
    const float *features; /* (n_leaves, batch, leaf_dim) */
    float *vectors;        /* of each node (batch, padded outputs), one node after the other */
    float *norms;          /* (n_nodes, batch); nothing is divided out of the root's */
    float *scores;         /* (outputs of the root, batch) */
    const float *score_gradient; /* as scores */
    float *vector_gradients;     /* as vectors */
} Tree;

/* Number of floats that the vectors of a node take. */
size_t vectors_size(const Node *node, int batch);

/* Contract the nodes of a part, or backpropagate through them: parts 0 and 1 have nothing in
   common, part 2 is the last forward and the first backward. Each returns 0 if there is no
   memory. */
int contract_part(const Tree *tree, int part);
int backpropagate_part(const Tree *tree, int part);

#endif
