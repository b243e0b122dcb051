/* How tensors lie in memory, and how they come to lie as the operations want them. */

#ifndef TENSORSPIN_LAYOUT_H
#define TENSORSPIN_LAYOUT_H

#include "operations.h"

typedef size_t Size;

/* A number of columns, padded to a multiple of ALIGNMENT. */
INLINE int padded_to_vectors(int columns)
{
    return (columns + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Vectors of all samples, one behind the other. */
INLINE Rows rows(const float *at, int length)
{
    Rows found = {at, (Size)length};
    return found;
}

/* to[a][p][o] = from[o][p][a] for a < depth, p < dim and o < count, and 0 for o beyond that. Both
   strides of `from` are in floats; `to` has the shape (depth, dim, columns). */
void transpose(const float *from, Size o_stride, Size p_stride, int count, int dim, int depth,
               float *to, int columns);

/* Copy the rows of a matrix to longer ones, which end with zeros, or back to shorter ones. */
void copy_rows(const float *from, int from_length, float *to, int to_length, Size count);

#endif
