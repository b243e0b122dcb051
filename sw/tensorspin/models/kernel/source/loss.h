/* The cross entropy of normalised scores. */

#ifndef TENSORSPIN_LOSS_H
#define TENSORSPIN_LOSS_H

typedef struct {
    int n_classes, batch;
    float temperature, smoothing;
    const float *scores;  /* (n_classes, batch) */
    const int *labels;    /* (batch,), each 0 to n_classes - 1 */
    const float *weights; /* (batch,), or NULL: all are 1 */
    float *room;          /* 2 * n_classes numbers, for intermediate results */
    float *gradient;      /* (n_classes, batch): derivative of the loss by the scores */
    double loss;          /* mean over the batch */
    double temperature_gradient; /* derivative by the logarithm of the temperature */
} CrossEntropy;

/* Compute the last three from the others, as `losses.cross_entropy` does. */
void cross_entropy(CrossEntropy *c);

#endif
