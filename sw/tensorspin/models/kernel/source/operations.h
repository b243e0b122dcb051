/* What the arithmetic of each set of instructions offers, see tiles.h and entries.h. */

#ifndef TENSORSPIN_OPERATIONS_H
#define TENSORSPIN_OPERATIONS_H

#include <math.h>
#include <stddef.h>
#include <string.h>

/* A bond is padded to a multiple of this number of entries. */
#define ALIGNMENT 8

/* Number of floats of a buffer that stays in the first cache of a processor beside the rest. */
#define PRODUCTS 4096

/* TENSORSPIN_PLAIN tries out what compilers without vectors see. */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(TENSORSPIN_PLAIN)
#define HAVE_VECTORS 1
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#else
#define HAVE_VECTORS 0
#define NOINLINE
#if defined(_MSC_VER)
#define INLINE static __forceinline
#define restrict __restrict
#else
#define INLINE static inline
#endif
#endif

#if !HAVE_VECTORS && (defined(_M_X64) || defined(__SSE2__))
#define HAVE_SSE 1
#include <emmintrin.h>
#else
#define HAVE_SSE 0
#endif

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL
#endif

/* Vectors of samples: entry a of sample n is at[n * stride + a]. */
typedef struct {
    const float *at;
    size_t stride;
} Rows;

INLINE Rows from_row(Rows rows, int n)
{
    rows.at += (size_t)n * rows.stride;
    return rows;
}

/* One step of Adam with weight decay towards a target, for parameters that share these numbers:

   first += fresh_first * (g - first), with g = mask * gradient
   second += fresh_second * (g^2 - second)
   parameters -= step * (first * first_factor) / (sqrt(second * second_factor) + epsilon)
                 + pull * mask * (parameters - target) */
typedef struct {
    float fresh_first, fresh_second, first_factor, second_factor, epsilon, step, pull;
} Update;

typedef struct {
    /* Number of floats of a vector; padded bonds must be a multiple of it. */
    int width;
    void (*advance)(Rows x, const float *w, int depth, int columns, int dim, Rows factors,
                    float *out, int batch, int accumulate);
    void (*outer)(Rows g, int rows, Rows x, int columns, int dim, Rows factors, float *out,
                  int batch, float *products);
    void (*normalise)(float *x, int bond, int batch, float *norms);
    void (*divide)(float *x, int bond, int batch, const float *norms);
    void (*dot)(const float *x, const float *y, int bond, int batch, float *dots);
    void (*update)(float *parameters, const float *gradient, float *first, float *second,
                   const float *target, const float *mask, size_t count, const Update *update);
    void (*bernstein)(const float *x, size_t stride, int batch, int dim, const float *binomials,
                      float *out);
} Operations;

/* The best operations that this processor has and whose vectors fit that many columns. */
const Operations *operations_for(int columns);

/* Name of the set of instructions that is in use, and whether `name` can be, and now is. */
const char *instructions(void);
int use_instructions(const char *name);

#endif
