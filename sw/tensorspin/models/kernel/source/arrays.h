/* Arrays of Python, taken by the buffer protocol and checked. */

#ifndef TENSORSPIN_ARRAYS_H
#define TENSORSPIN_ARRAYS_H

#include "interface.h"

#define MOST_ARRAYS 12

/* The arrays of one call, which are released together. */
typedef struct {
    Py_buffer views[MOST_ARRAYS];
    int count;
} Arrays;

void release(Arrays *arrays);

/* Return the view of an array of the given type ('f' or 'i'), contiguous, of `ndim` axes; NULL with
   an exception if it is another. */
Py_buffer *view(Arrays *arrays, PyObject *object, const char *name, char type, int ndim,
                int written);

/* Return the data of an array of exactly that shape; axes beyond `ndim` are ignored. */
void *data(Arrays *arrays, PyObject *object, const char *name, char type, int written, int ndim,
           Py_ssize_t a, Py_ssize_t b, Py_ssize_t c, Py_ssize_t d);

/* The same for a view that is not among `arrays`: 0 with an exception if it does not fit. */
int fill_view(Py_buffer *found, PyObject *object, const char *name, char type, int ndim,
              int written);

#endif
