/* Arrays of Python, taken by the buffer protocol and checked; see arrays.h. */

#include "arrays.h"

#include <limits.h>

/* No axis is longer, so that products of a few of them stay within size_t. */
#define LONGEST_AXIS (INT_MAX / 64)

void release(Arrays *arrays)
{
    while (arrays->count)
        PyBuffer_Release(&arrays->views[--arrays->count]);
}

int fill_view(Py_buffer *found, PyObject *object, const char *name, char type, int ndim,
              int written)
{
    const int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, found, flags))
        return 0;
    if (found->ndim != ndim || !found->format || found->format[0] != type || found->format[1]) {
        PyErr_Format(PyExc_TypeError,
                     "%s must be an array of %d axes and format '%c', not %d of '%s'", name, ndim,
                     type, found->ndim, found->format ? found->format : "B");
        PyBuffer_Release(found);
        return 0;
    }
    for (int axis = 0; axis < ndim; axis++)
        if (found->shape[axis] > LONGEST_AXIS) {
            PyErr_Format(PyExc_ValueError, "%s must have axes of at most %d entries, not %zd", name,
                         LONGEST_AXIS, found->shape[axis]);
            PyBuffer_Release(found);
            return 0;
        }
    return 1;
}

Py_buffer *view(Arrays *arrays, PyObject *object, const char *name, char type, int ndim,
                int written)
{
    Py_buffer *found = &arrays->views[arrays->count];
    if (!fill_view(found, object, name, type, ndim, written))
        return NULL;
    arrays->count++;
    return found;
}

void *data(Arrays *arrays, PyObject *object, const char *name, char type, int written, int ndim,
           Py_ssize_t a, Py_ssize_t b, Py_ssize_t c, Py_ssize_t d)
{
    const Py_ssize_t shape[] = {a, b, c, d};
    Py_buffer *found = view(arrays, object, name, type, ndim, written);
    if (!found)
        return NULL;
    for (int axis = 0; axis < ndim; axis++)
        if (found->shape[axis] != shape[axis]) {
            PyErr_Format(PyExc_ValueError, "axis %d of %s must have %zd entries, not %zd", axis,
                         name, shape[axis], found->shape[axis]);
            return NULL;
        }
    return found->buf;
}
