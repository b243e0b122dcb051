/* How tensors lie in memory; see layout.h. */

#include "layout.h"

void transpose(const float *from, Size o_stride, Size p_stride, int count, int dim, int depth,
               float *to, int columns)
{
    const Size to_stride = (Size)dim * columns;
    for (int p = 0; p < dim; p++) {
        int a = 0;
        for (; a + 4 <= depth; a += 4)
            for (int o = 0; o < count; o++) {
                const float *row = from + o * o_stride + p * p_stride + a;
                float *column = to + a * to_stride + (Size)p * columns + o;
                for (int i = 0; i < 4; i++)
                    column[i * to_stride] = row[i];
            }
        for (; a < depth; a++)
            for (int o = 0; o < count; o++)
                to[a * to_stride + (Size)p * columns + o] = from[o * o_stride + p * p_stride + a];
        if (columns > count)
            for (a = 0; a < depth; a++)
                memset(to + a * to_stride + (Size)p * columns + count, 0,
                       (Size)(columns - count) * sizeof *to);
    }
}

void copy_rows(const float *from, int from_length, float *to, int to_length, Size count)
{
    const int kept = from_length < to_length ? from_length : to_length;
    for (Size row = 0; row < count; row++) {
        memcpy(to + row * to_length, from + row * from_length, (Size)kept * sizeof *to);
        if (to_length > kept)
            memset(to + row * to_length + kept, 0, (Size)(to_length - kept) * sizeof *to);
    }
}
