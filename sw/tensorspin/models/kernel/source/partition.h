/* The norm of a chain with one output, as Born machines need it. */

#ifndef TENSORSPIN_PARTITION_H
#define TENSORSPIN_PARTITION_H

typedef struct {
    int n_steps, bond, dim;
    int width;              /* the bond, padded to a multiple of ALIGNMENT */
    const float *weights;   /* (n_steps, 2, bond, dim, bond): outgoing bond, component, incoming */
    const float *label;     /* (bond, bond) */
    const int *depths;      /* (n_steps, 2): true incoming bond; 0: a step of padding */
    float *weight_gradient; /* as weights */
    float *label_gradient;  /* as label */
    double log_z;           /* logarithm of the norm */
} Partition;

/* Compute the last three from the others, as `born.log_partition` does. Returns 0 if there is no
   memory. */
int log_partition(Partition *p);

#endif
