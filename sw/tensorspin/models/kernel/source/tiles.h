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

#elif HAVE_SSE /* other compilers for x86-64, whose vectors have 4 floats */

typedef __m128 VEC;

INLINE VEC FN(load)(const float *from)
{
    return _mm_loadu_ps(from);
}

INLINE void FN(store)(float *to, VEC x)
{
    _mm_storeu_ps(to, x);
}

INLINE VEC FN(add_scaled)(VEC sum, float factor, VEC x)
{
    return _mm_add_ps(sum, _mm_mul_ps(_mm_set1_ps(factor), x));
}

INLINE VEC FN(add_product)(VEC sum, VEC x, VEC y)
{
    return _mm_add_ps(sum, _mm_mul_ps(x, y));
}

INLINE VEC FN(scaled)(float factor, VEC x)
{
    return _mm_mul_ps(_mm_set1_ps(factor), x);
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
TARGET INLINE void FN(tile)(const int rows, const int count, Rows x, const float *w, size_t columns,
                            size_t w_stride, int depth, Rows factors, float *out, size_t out_stride,
                            int accumulate)
{
    VEC sums[16][4];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < count; p++)
            sums[r][p] = FN(scaled)(0, FN(load)(w));
    for (int a = 0; a < depth; a++) {
        VEC row[4];
        UNROLL for (int p = 0; p < count; p++)
            row[p] = FN(load)(w + a * w_stride + p * columns);
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int p = 0; p < count; p++)
                sums[r][p] = FN(add_scaled)(sums[r][p], x.at[r * x.stride + a], row[p]);
    }
    UNROLL for (int r = 0; r < rows; r++) {
        VEC sum = FN(scaled)(factors.at[r * factors.stride], sums[r][0]);
        UNROLL for (int p = 1; p < count; p++)
            sum = FN(add_scaled)(sum, factors.at[r * factors.stride + p], sums[r][p]);
        if (accumulate)
            sum = FN(add_scaled)(FN(load)(out + r * out_stride), 1, sum);
        FN(store)(out + r * out_stride, sum);
    }
}

#define TILES(ROWS, COUNT)                                                                       \
    for (; n + ROWS <= batch; n += ROWS)                                                         \
        FN(tile)(ROWS, COUNT, from_row(x, n), w, columns, w_stride, depth, from_row(factors, n), \
                 out + n * out_stride, out_stride, accumulate);

#define COLUMNS_OF(COUNT, LARGEST, SMALLER)                                                      \
    TARGET static NOINLINE void FN(columns_##COUNT)(                                             \
        Rows x, const float *w, size_t columns, size_t w_stride, int depth, Rows factors,        \
        float *out, size_t out_stride, int batch, int accumulate)                                \
    {                                                                                            \
        int n = 0;                                                                               \
        TILES(LARGEST, COUNT)                                                                    \
        TILES(SMALLER, COUNT)                                                                    \
        TILES(1, COUNT)                                                                          \
    }

COLUMNS_OF(1, ROWS_1, 4)
COLUMNS_OF(2, ROWS_2, 4)
COLUMNS_OF(3, ROWS_3, 2)
COLUMNS_OF(4, ROWS_4, 2)

#undef TILES
#undef COLUMNS_OF

/* out[n][b] (+)= sum over p of factors[n][p] * sum over a < depth of x[n][a] * w[a][p][b].

   x and factors have `batch` rows, out the shape (batch, columns), w (depth, dim, columns). */
TARGET static void FN(advance)(Rows x, const float *w, int depth, int columns, int dim,
                               Rows factors, float *out, int batch, int accumulate)
{
    size_t stride = (size_t)dim * columns;
    for (int b = 0; b < columns; b += WIDTH)
        for (int p = 0, count; p < dim; p += count) {
            const float *from = w + (size_t)p * columns + b;
            Rows some = {factors.at + p, factors.stride};
            int more = accumulate || p > 0;
            count = dim - p < 4 ? dim - p : 4;
            switch (count) {
            case 1:
                FN(columns_1)(x, from, columns, stride, depth, some, out + b, columns, batch, more);
                break;
            case 2:
                FN(columns_2)(x, from, columns, stride, depth, some, out + b, columns, batch, more);
                break;
            case 3:
                FN(columns_3)(x, from, columns, stride, depth, some, out + b, columns, batch, more);
                break;
            default:
                FN(columns_4)(x, from, columns, stride, depth, some, out + b, columns, batch, more);
            }
        }
}

/* out[o][c] (+)= sum over n of g[n][o] * x[n][c], for 4 rows o and `count` vectors c. */
TARGET INLINE void FN(outer_tile)(const int count, Rows g, const float *x, size_t stride, int batch,
                                  float *out, int accumulate)
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
                sums[o][c] = FN(add_scaled)(sums[o][c], g.at[n * g.stride + o], row[c]);
    }
    UNROLL for (int o = 0; o < 4; o++)
        UNROLL for (int c = 0; c < count; c++)
            FN(store)(out + o * stride + c * WIDTH, sums[o][c]);
}

/* out[o][p][a] = sum over n of factors[n][p] * g[n][o] * x[n][a].

   g, x and factors have `batch` rows, of `rows`, `columns` and `dim` entries; out has the shape
   (rows, dim, columns), with rows a multiple of 4. `products` has room for PRODUCTS floats, or for
   dim * columns if that is more. */
TARGET static void FN(outer)(Rows g, int rows, Rows x, int columns, int dim, Rows factors,
                             float *out, int batch, float *products)
{
    size_t stride = (size_t)dim * columns;
    int block = stride < PRODUCTS ? (int)(PRODUCTS / stride) : 1;
    for (int start = 0; start < batch; start += block) {
        int n_block = batch - start < block ? batch - start : block;
        for (int n = 0; n < n_block; n++) {
            const float *f = from_row(factors, start + n).at, *v = from_row(x, start + n).at;
            for (int p = 0; p < dim; p++)
                for (int a = 0; a < columns; a += WIDTH)
                    FN(store)(products + n * stride + (size_t)p * columns + a,
                              FN(scaled)(f[p], FN(load)(v + a)));
        }
        for (int o = 0; o < rows; o += 4)
            for (size_t c = 0; c < stride;) {
                Rows some = {from_row(g, start).at + o, g.stride};
                const float *from = products + c;
                float *to = out + o * stride + c;
                size_t left = (stride - c) / WIDTH;
                if (COLUMNS >= 4 && left >= 4) {
                    FN(outer_tile)(4, some, from, stride, n_block, to, start > 0);
                    c += 4 * WIDTH;
                } else if (COLUMNS >= 3 && left >= 3) {
                    FN(outer_tile)(3, some, from, stride, n_block, to, start > 0);
                    c += 3 * WIDTH;
                } else if (left >= 2) {
                    FN(outer_tile)(2, some, from, stride, n_block, to, start > 0);
                    c += 2 * WIDTH;
                } else {
                    FN(outer_tile)(1, some, from, stride, n_block, to, start > 0);
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
