/* Python's calls of what else an update of a training needs. */

#include "calls.h"

#include "arrays.h"
#include "loss.h"
#include "operations.h"

/* Most components of a feature that the map below may have. */
#define MOST_COMPONENTS 32

PyObject *call_update(PyObject *module, PyObject *args)
{
    PyObject *parameters, *gradient, *first, *second, *target, *mask, *result = NULL;
    Py_ssize_t start;
    Update numbers;
    Arrays arrays = {.count = 0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOnfffffff:update", &parameters, &gradient, &first, &second,
                          &target, &mask, &start, &numbers.fresh_first, &numbers.fresh_second,
                          &numbers.first_factor, &numbers.second_factor, &numbers.epsilon,
                          &numbers.step, &numbers.pull))
        return NULL;
    Py_buffer *g = view(&arrays, gradient, "gradient", 'f', 1, 0);
    Py_buffer *p = g ? view(&arrays, parameters, "parameters", 'f', 1, 1) : NULL;
    if (!p)
        goto end;
    const Py_ssize_t size = p->shape[0], count = g->shape[0];
    if (start < 0 || start > size - count) {
        PyErr_Format(PyExc_ValueError, "%zd gradients from %zd on are too many for %zd parameters",
                     count, start, size);
        goto end;
    }
    float *f = data(&arrays, first, "first", 'f', 1, 1, size, 0, 0, 0);
    float *s = f ? data(&arrays, second, "second", 'f', 1, 1, size, 0, 0, 0) : NULL;
    const float *t = s ? data(&arrays, target, "target", 'f', 0, 1, size, 0, 0, 0) : NULL;
    const float *m = t ? data(&arrays, mask, "mask", 'f', 0, 1, size, 0, 0, 0) : NULL;
    if (!m)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    operations_for(ALIGNMENT)->update((float *)p->buf + start, g->buf, f + start, s + start,
                                      t + start, m + start, (size_t)count, &numbers);
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
end:
    release(&arrays);
    return result;
}

PyObject *call_bernstein(PyObject *module, PyObject *args)
{
    PyObject *inputs, *sites, *features, *result = NULL;
    float binomials[MOST_COMPONENTS];
    Arrays arrays = {.count = 0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:bernstein", &inputs, &sites, &features))
        return NULL;
    Py_buffer *x = view(&arrays, inputs, "inputs", 'f', 2, 0);
    Py_buffer *f = x ? view(&arrays, features, "features", 'f', 3, 1) : NULL;
    if (!f)
        goto end;
    const Py_ssize_t batch = x->shape[0], n_sites = x->shape[1];
    const Py_ssize_t count = f->shape[0], dim = f->shape[2];
    if (f->shape[1] != batch || dim < 2 || dim > MOST_COMPONENTS) {
        PyErr_Format(PyExc_ValueError,
                     "features must have the shape (sites, %zd, components), with 2 to %d of them",
                     batch, MOST_COMPONENTS);
        goto end;
    }
    const int *site = data(&arrays, sites, "sites", 'i', 0, 1, count, 0, 0, 0);
    if (!site)
        goto end;
    for (Py_ssize_t i = 0; i < count; i++)
        if (site[i] < -1 || site[i] >= n_sites) {
            PyErr_Format(PyExc_ValueError, "sites must be -1 to %zd, not %d", n_sites - 1, site[i]);
            goto end;
        }
    binomials[0] = 1;
    for (int p = 1; p < dim; p++)
        binomials[p] = binomials[p - 1] * (float)(dim - p) / (float)p;
    const Operations *operations = operations_for(ALIGNMENT);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < count; i++) {
        float *out = (float *)f->buf + i * batch * dim;
        if (site[i] < 0)
            memset(out, 0, (size_t)(batch * dim) * sizeof *out); /* nothing reads a padding */
        else
            operations->bernstein((float *)x->buf + site[i], (size_t)n_sites, (int)batch, (int)dim,
                                  binomials, out);
    }
    Py_END_ALLOW_THREADS
    result = Py_NewRef(Py_None);
end:
    release(&arrays);
    return result;
}

PyObject *call_cross_entropy(PyObject *module, PyObject *args)
{
    PyObject *scores, *labels, *weights, *gradient, *result = NULL;
    CrossEntropy c = {0};
    Arrays arrays = {.count = 0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOff:cross_entropy", &scores, &labels, &weights, &gradient,
                          &c.temperature, &c.smoothing))
        return NULL;
    Py_buffer *s = view(&arrays, scores, "scores", 'f', 2, 0);
    if (!s)
        goto end;
    c.n_classes = (int)s->shape[0];
    c.batch = (int)s->shape[1];
    c.scores = s->buf;
    c.labels = data(&arrays, labels, "labels", 'i', 0, 1, c.batch, 0, 0, 0);
    if (!c.labels)
        goto end;
    c.gradient = data(&arrays, gradient, "gradient", 'f', 1, 2, c.n_classes, c.batch, 0, 0);
    if (!c.gradient)
        goto end;
    if (weights != Py_None) {
        c.weights = data(&arrays, weights, "weights", 'f', 0, 1, c.batch, 0, 0, 0);
        if (!c.weights)
            goto end;
    }
    for (int n = 0; n < c.batch; n++)
        if (c.labels[n] < 0 || c.labels[n] >= c.n_classes) {
            PyErr_Format(PyExc_ValueError, "labels must be 0 to %d, not %d", c.n_classes - 1,
                         c.labels[n]);
            goto end;
        }
    c.room = PyMem_Malloc(2 * (size_t)c.n_classes * sizeof *c.room);
    if (!c.room) {
        PyErr_NoMemory();
        goto end;
    }
    cross_entropy(&c);
    PyMem_Free(c.room);
    result = Py_BuildValue("dd", c.loss, c.temperature_gradient);
end:
    release(&arrays);
    return result;
}
