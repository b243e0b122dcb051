/* What is computed entry by entry, for one set of instructions; included after tiles.h, whose
   macros it uses. The compiler makes vectors of these loops. */

/* See `Update` in operations.h. The arrays do not overlap. */
TARGET static void FN(update)(float *restrict parameters, const float *restrict gradient,
                              float *restrict first, float *restrict second,
                              const float *restrict target, const float *restrict mask,
                              size_t count, const Update *update)
{
    const Update u = *update;
    for (size_t i = 0; i < count; i++) {
        float g = mask[i] * gradient[i];
        float mean = first[i] + u.fresh_first * (g - first[i]);
        float square = second[i] + u.fresh_second * (g * g - second[i]);
        float direction = mean * u.first_factor / (sqrtf(square * u.second_factor) + u.epsilon);
        float distance = mask[i] * (parameters[i] - target[i]);
        first[i] = mean;
        second[i] = square;
        parameters[i] -= u.step * direction + u.pull * distance;
    }
}

/* Bernstein polynomials of degree dim - 1 of one site's features: out[n][p] of x[n * stride]. */
TARGET static void FN(bernstein)(const float *restrict x, size_t stride, int batch, int dim,
                                 const float *restrict binomials, float *restrict out)
{
    if (dim == 2)
        for (int n = 0; n < batch; n++) {
            float rising = x[n * stride];
            out[2 * n] = 1 - rising;
            out[2 * n + 1] = rising;
        }
    else if (dim == 4)
        for (int n = 0; n < batch; n++) {
            float rising = x[n * stride], falling = 1 - rising;
            float both = 3 * rising * falling;
            out[4 * n] = falling * falling * falling;
            out[4 * n + 1] = both * falling;
            out[4 * n + 2] = both * rising;
            out[4 * n + 3] = rising * rising * rising;
        }
    else
        for (int n = 0; n < batch; n++) {
            float rising = x[n * stride], falling = 1 - rising, power = 1;
            float *row = out + (size_t)n * dim;
            for (int p = 0; p < dim; p++, power *= rising)
                row[p] = binomials[p] * power;
            power = 1;
            for (int p = dim - 1; p >= 0; p--, power *= falling)
                row[p] *= power;
        }
}

static const Operations FN(operations) = {
    WIDTH,         FN(advance), FN(outer),  FN(normalise),
    FN(divide),    FN(dot),     FN(update), FN(bernstein),
};

#undef FN
#undef VEC
#undef JOIN
#undef JOIN_
#undef VARIANT
#undef TARGET
#undef WIDTH
#undef ROWS_1
#undef ROWS_2
#undef ROWS_3
#undef ROWS_4
#undef COLUMNS
