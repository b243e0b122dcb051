/* The cross entropy of normalised scores; see loss.h. */

#include "loss.h"

#include <math.h>
#include <stddef.h>

void cross_entropy(CrossEntropy *c)
{
    const size_t batch = (size_t)c->batch;
    const float share = c->smoothing / (float)c->n_classes;
    float *logits = c->room, *slopes = logits + c->n_classes;
    c->loss = c->temperature_gradient = 0;
    for (size_t n = 0; n < batch; n++) {
        const float *scores = c->scores + n;
        const float weight = (c->weights ? c->weights[n] : 1) / (float)c->batch;
        float norm = 0, largest = -INFINITY, total = 0, sum = 0, radial = 0;
        for (int k = 0; k < c->n_classes; k++)
            norm += scores[k * batch] * scores[k * batch];
        norm = sqrtf(norm);
        if (norm == 0)
            norm = 1;
        for (int k = 0; k < c->n_classes; k++) {
            logits[k] = c->temperature * (scores[k * batch] / norm);
            largest = logits[k] > largest ? logits[k] : largest;
        }
        /* Without the largest logit, exp cannot overflow; the softmax stays the same. */
        for (int k = 0; k < c->n_classes; k++) {
            slopes[k] = expf(logits[k] - largest);
            total += slopes[k];
            sum += logits[k] - largest;
        }
        const int label = c->labels[n];
        const float of_target =
            (1 - c->smoothing) * (logits[label] - largest) + share * sum;
        c->loss += (double)(weight * (logf(total) - of_target));
        for (int k = 0; k < c->n_classes; k++) {
            float slope = slopes[k] / total - share;
            if (k == label)
                slope -= 1 - c->smoothing;
            slopes[k] = weight * slope;
            radial += slopes[k] * logits[k];
        }
        c->temperature_gradient += (double)radial;
        /* Only the part across the score vector counts: its length has been divided out. */
        for (int k = 0; k < c->n_classes; k++)
            c->gradient[k * batch + n] =
                (c->temperature * slopes[k] - logits[k] * (radial / c->temperature)) / norm;
    }
}
