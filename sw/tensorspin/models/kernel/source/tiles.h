/* The arithmetic of the half-chains for one set of instructions of a processor.

   This file is included once for each set, with these macros defined:

   VARIANT    name of the set; it becomes part of the names of all functions
   TARGET     attribute that tells the compiler that a function may use the set
   WIDTH      number of floats of a vector
   ROWS_1 .. ROWS_4   number of samples that a tile takes for 1 to 4 vectors of each: as many as
              leave the sums of a tile in the processor's registers
   COLUMNS    number of vectors, at most 4, that a tile of weight gradients takes of each sample

   A vector holds entries of one sample's bond, never of several samples. Every bond is a multiple
   of WIDTH. */

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define FN(name) JOIN(name, VARIANT)
#define VEC FN(vec)

#if HAVE_VECTORS

typedef float VEC __attribute__((vector_size(4 * WIDTH), may_alias));

TARGET INLINE VEC FN(load)(const float *from)
{
    VEC x;
    memcpy(&x, from, sizeof x);
    return x;
}

TARGET INLINE void FN(store)(float *to, VEC x)
{
    memcpy(to, &x, sizeof x);
}

TARGET INLINE VEC FN(add_scaled)(VEC sum, float factor, VEC x)
{
    return sum + factor * x;
}

TARGET INLINE VEC FN(add_product)(VEC sum, VEC x, VEC y)
{
    return sum + x * y;
}

TARGET INLINE VEC FN(scaled)(float factor, VEC x)
{
    return factor * x;
}

#else /* loops of a fixed length, which other compilers make vectors of */

typedef struct { float at[WIDTH]; } VEC;

INLINE VEC FN(load)(const float *from)
{
    VEC x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE void FN(store)(float *to, VEC x)
{
    memcpy(to, &x, sizeof x);
}

INLINE VEC FN(add_scaled)(VEC sum, float factor, VEC x)
{
    for (int i = 0; i < WIDTH; i++)
        sum.at[i] += factor * x.at[i];
    return sum;
}

INLINE VEC FN(add_product)(VEC sum, VEC x, VEC y)
{
    for (int i = 0; i < WIDTH; i++)
        sum.at[i] += x.at[i] * y.at[i];
    return sum;
}

INLINE VEC FN(scaled)(float factor, VEC x)
{
    for (int i = 0; i < WIDTH; i++)
        x.at[i] *= factor;
    return x;
}

#endif

TARGET INLINE float FN(total)(VEC x)
{
    float at[WIDTH];
    FN(store)(at, x);
    for (int half = WIDTH / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            at[i] += at[i + half];
    return at[0];
}

/* out[r] (+)= sum over p < count of factors[r][p] * sum over a < depth of x[r][a] * w[a][p], for
   `rows` samples r and one vector of each out[r] and w[a][p]. Rows and count are constants at every
   call, so that the sums are registers. */
TARGET INLINE void FN(tile)(const int rows, const int count, const float *x, const float *w,
                            size_t w_stride, int depth, int bond, const float *factors, int dim,
                            float *out, int accumulate)
{
    VEC sums[16][4];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < count; p++)
            sums[r][p] = FN(scaled)(0, FN(load)(w));
    for (int a = 0; a < depth; a++) {
        VEC row[4];
        UNROLL for (int p = 0; p < count; p++)
            row[p] = FN(load)(w + a * w_stride + (size_t)p * bond);
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int p = 0; p < count; p++)
                sums[r][p] = FN(add_scaled)(sums[r][p], x[(size_t)r * bond + a], row[p]);
    }
    UNROLL for (int r = 0; r < rows; r++) {
        VEC sum = FN(scaled)(factors[(size_t)r * dim], sums[r][0]);
        UNROLL for (int p = 1; p < count; p++)
            sum = FN(add_scaled)(sum, factors[(size_t)r * dim + p], sums[r][p]);
        if (accumulate)
            sum = FN(add_scaled)(FN(load)(out + (size_t)r * bond), 1, sum);
        FN(store)(out + (size_t)r * bond, sum);
    }
}

#define TILES(ROWS, COUNT)                                                                       \
    for (; n + ROWS <= batch; n += ROWS)                                                         \
        FN(tile)(ROWS, COUNT, x + (size_t)n * bond, w, stride, depth, bond,                      \
                 factors + (size_t)n * dim, dim, out + (size_t)n * bond, accumulate);

TARGET static NOINLINE void FN(columns_1)(const float *x, const float *w, size_t stride, int depth,
                                          int bond, const float *factors, int dim, float *out,
                                          int batch, int accumulate)
{
    int n = 0;
    TILES(ROWS_1, 1)
    TILES(4, 1)
    TILES(1, 1)
}

TARGET static NOINLINE void FN(columns_2)(const float *x, const float *w, size_t stride, int depth,
                                          int bond, const float *factors, int dim, float *out,
                                          int batch, int accumulate)
{
    int n = 0;
    TILES(ROWS_2, 2)
    TILES(4, 2)
    TILES(1, 2)
}

TARGET static NOINLINE void FN(columns_3)(const float *x, const float *w, size_t stride, int depth,
                                          int bond, const float *factors, int dim, float *out,
                                          int batch, int accumulate)
{
    int n = 0;
    TILES(ROWS_3, 3)
    TILES(2, 3)
    TILES(1, 3)
}

TARGET static NOINLINE void FN(columns_4)(const float *x, const float *w, size_t stride, int depth,
                                          int bond, const float *factors, int dim, float *out,
                                          int batch, int accumulate)
{
    int n = 0;
    TILES(ROWS_4, 4)
    TILES(2, 4)
    TILES(1, 4)
}

#undef TILES

/* out[n][b] (+)= sum over p of factors[n][p] * sum over a < depth of x[n][a] * w[a][p][b].

   x and out have the shape (batch, bond), factors (batch, dim), w (bond, dim, bond). */
TARGET static void FN(advance)(const float *x, const float *w, int depth, int bond, int dim,
                               const float *factors, float *out, int batch, int accumulate)
{
    size_t stride = (size_t)dim * bond;
    for (int b = 0; b < bond; b += WIDTH)
        for (int p = 0, count; p < dim; p += count) {
            const float *from = w + (size_t)p * bond + b;
            int more = accumulate || p > 0;
            count = dim - p < 4 ? dim - p : 4;
            switch (count) {
            case 1:
                FN(columns_1)(x, from, stride, depth, bond, factors + p, dim, out + b, batch, more);
                break;
            case 2:
                FN(columns_2)(x, from, stride, depth, bond, factors + p, dim, out + b, batch, more);
                break;
            case 3:
                FN(columns_3)(x, from, stride, depth, bond, factors + p, dim, out + b, batch, more);
                break;
            default:
                FN(columns_4)(x, from, stride, depth, bond, factors + p, dim, out + b, batch, more);
            }
        }
}

/* out[o][c] (+)= sum over n of g[n][o] * x[n][c], for 4 rows o and `count` vectors c. */
TARGET INLINE void FN(outer_tile)(const int count, const float *g, int bond, const float *x,
                                  size_t stride, int batch, float *out, int accumulate)
{
    VEC sums[4][4];
    UNROLL for (int o = 0; o < 4; o++)
        UNROLL for (int c = 0; c < count; c++) {
            sums[o][c] = FN(load)(accumulate ? out + o * stride + c * WIDTH : x);
            if (!accumulate)
                sums[o][c] = FN(scaled)(0, sums[o][c]);
        }
    for (int n = 0; n < batch; n++) {
        VEC row[4];
        UNROLL for (int c = 0; c < count; c++)
            row[c] = FN(load)(x + n * stride + c * WIDTH);
        UNROLL for (int o = 0; o < 4; o++)
            UNROLL for (int c = 0; c < count; c++)
                sums[o][c] = FN(add_scaled)(sums[o][c], g[(size_t)n * bond + o], row[c]);
    }
    UNROLL for (int o = 0; o < 4; o++)
        UNROLL for (int c = 0; c < count; c++)
            FN(store)(out + o * stride + c * WIDTH, sums[o][c]);
}

/* out[o][p][a] = sum over n of factors[n][p] * g[n][o] * x[n][a].

   x and g have the shape (batch, bond), factors (batch, dim), out (bond, dim, bond). `products`
   has room for PRODUCTS floats, or for dim * bond if that is more. */
TARGET static void FN(outer)(const float *g, const float *x, int bond, int dim,
                             const float *factors, float *out, int batch, float *products)
{
    size_t stride = (size_t)dim * bond;
    int block = stride < PRODUCTS ? (int)(PRODUCTS / stride) : 1;
    for (int start = 0; start < batch; start += block) {
        int n_block = batch - start < block ? batch - start : block;
        for (int n = 0; n < n_block; n++)
            for (int p = 0; p < dim; p++)
                for (int a = 0; a < bond; a += WIDTH)
                    FN(store)(products + n * stride + (size_t)p * bond + a,
                              FN(scaled)(factors[(size_t)(start + n) * dim + p],
                                         FN(load)(x + (size_t)(start + n) * bond + a)));
        for (int o = 0; o < bond; o += 4)
            for (size_t c = 0; c < stride;) {
                const float *g_from = g + (size_t)start * bond + o, *x_from = products + c;
                float *to = out + o * stride + c;
                size_t left = (stride - c) / WIDTH;
                if (COLUMNS >= 4 && left >= 4) {
                    FN(outer_tile)(4, g_from, bond, x_from, stride, n_block, to, start > 0);
                    c += 4 * WIDTH;
                } else if (COLUMNS >= 3 && left >= 3) {
                    FN(outer_tile)(3, g_from, bond, x_from, stride, n_block, to, start > 0);
                    c += 3 * WIDTH;
                } else if (left >= 2) {
                    FN(outer_tile)(2, g_from, bond, x_from, stride, n_block, to, start > 0);
                    c += 2 * WIDTH;
                } else {
                    FN(outer_tile)(1, g_from, bond, x_from, stride, n_block, to, start > 0);
                    c += WIDTH;
                }
            }
    }
}

/* norms[n] = length of x[n], 1 for a vector of zeros; x[n] is divided by it. */
TARGET static void FN(normalise)(float *x, int bond, int batch, float *norms)
{
    for (int n = 0; n < batch; n++, x += bond) {
        VEC squares = FN(scaled)(0, FN(load)(x));
        for (int a = 0; a < bond; a += WIDTH)
            squares = FN(add_product)(squares, FN(load)(x + a), FN(load)(x + a));
        float norm = sqrtf(FN(total)(squares));
        if (norm == 0)
            norm = 1;
        norms[n] = norm;
        for (int a = 0; a < bond; a += WIDTH)
            FN(store)(x + a, FN(scaled)(1 / norm, FN(load)(x + a)));
    }
}

TARGET static void FN(divide)(float *x, int bond, int batch, const float *norms)
{
    for (int n = 0; n < batch; n++, x += bond)
        for (int a = 0; a < bond; a += WIDTH)
            FN(store)(x + a, FN(scaled)(1 / norms[n], FN(load)(x + a)));
}

/* dots[n] = sum over a of x[n][a] * y[n][a]. */
TARGET static void FN(dot)(const float *x, const float *y, int bond, int batch, float *dots)
{
    for (int n = 0; n < batch; n++, x += bond, y += bond) {
        VEC sum = FN(scaled)(0, FN(load)(x));
        for (int a = 0; a < bond; a += WIDTH)
            sum = FN(add_product)(sum, FN(load)(x + a), FN(load)(y + a));
        dots[n] = FN(total)(sum);
    }
}
