/* Contraction of two half-chains with a label tensor, forward and backward. */

#ifndef TENSORSPIN_CHAINS_H
#define TENSORSPIN_CHAINS_H

/* A batch in a network, as `HalfChains` keeps it. The last axis of each array is contiguous. */
typedef struct {
    int n_steps, bond, dim, n_outputs, batch;
    int width;             /* the bond, padded to a multiple of ALIGNMENT */
    int interval;          /* number of steps after which vectors are normalised */
    const float *weights;  /* (n_steps, 2, bond, dim, bond): outgoing bond, component, incoming */
    const float *label;    /* (n_outputs, bond, bond) */
    const int *depths;     /* (n_steps, 2): true incoming bond; 0: a step of padding */
    const float *features; /* (n_steps, 2, batch, dim) */
    float *vectors;        /* (n_steps + 1, 2, batch, width) */
    float *norms;          /* (normalisations, 2, batch) */
    float *scores;         /* (n_outputs, batch) */
    const float *score_gradient; /* (n_outputs, batch) */
    float *weight_gradient;      /* as weights */
    float *label_gradient;       /* as label */
} Chains;

/* Number of normalisations on the way: one after each interval, and one after the last step. */
int normalisations(int n_steps, int interval);

/* Contract one half-chain (0 left, 1 right): writes its part of `vectors` and `norms`. */
int contract_half(const Chains *chains, int half);

/* Join the contracted half-chains at the label tensor: writes `scores`. */
int join_halves(const Chains *chains);

/* Backpropagate into one half-chain, and into a half of the label tensor's outputs: writes that
   part of `weight_gradient` and `label_gradient`. Each returns 0 if there is no memory. */
int backpropagate_half(const Chains *chains, int half);

#endif
