/* The Python module `_compiled`: takes arrays by the buffer protocol, checks them, and calls the
   rest with the interpreter's lock released. */

#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000 /* buffers are part of it since Python 3.11 */
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <limits.h>

#include "chains.h"
#include "loss.h"
#include "operations.h"
#include "worker.h"

#define MOST_ARRAYS 12

/* Most components of a feature that the map below may have. */
#define MOST_COMPONENTS 32

/* The arrays of one call, which are released together. */
typedef struct {
    Py_buffer views[MOST_ARRAYS];
    int count;
} Arrays;

static void release(Arrays *arrays)
{
    while (arrays->count)
        PyBuffer_Release(&arrays->views[--arrays->count]);
}

/* Return the view of an array of the given type ('f' or 'i'), contiguous, of `ndim` axes. */
static Py_buffer *view(Arrays *arrays, PyObject *object, const char *name, char type, int ndim,
                       int written)
{
    Py_buffer *found = &arrays->views[arrays->count];
    int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (written ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, found, flags))
        return NULL;
    arrays->count++;
    if (found->ndim != ndim || !found->format || found->format[0] != type || found->format[1]) {
        PyErr_Format(PyExc_TypeError, "%s must be an array of %d axes and format '%c', not %d of '%s'",
                     name, ndim, type, found->ndim, found->format ? found->format : "B");
        return NULL;
    }
    for (int axis = 0; axis < ndim; axis++)
        if (found->shape[axis] > INT_MAX / 64) {
            PyErr_Format(PyExc_ValueError, "%s must have axes of at most %d entries, not %zd", name,
                         INT_MAX / 64, found->shape[axis]);
            return NULL;
        }
    return found;
}

/* Return the data of an array of exactly that shape; axes beyond `ndim` are ignored. */
static void *data(Arrays *arrays, PyObject *object, const char *name, char type, int written,
                  int ndim, Py_ssize_t a, Py_ssize_t b, Py_ssize_t c, Py_ssize_t d)
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

/* The network, the batch, and the vectors on the way: what both functions take first. */
static int read_chains(Arrays *arrays, Chains *c, PyObject *weights, PyObject *label,
                       PyObject *depths, PyObject *features, PyObject *vectors, PyObject *norms,
                       int written)
{
    Py_buffer *w = view(arrays, weights, "weights", 'f', 4, 0);
    Py_buffer *l = w ? view(arrays, label, "label", 'f', 2, 0) : NULL;
    Py_buffer *f = l ? view(arrays, features, "features", 'f', 4, 0) : NULL;
    if (!f)
        return 0;
    c->n_steps = (int)w->shape[0];
    c->bond = (int)w->shape[2];
    c->dim = (int)f->shape[3];
    c->n_outputs = (int)l->shape[0];
    c->batch = (int)f->shape[2];
    c->width = (c->bond + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (c->n_steps < 1 || c->bond < 1 || c->dim < 1 || c->batch < 1 || c->interval < 1 ||
        w->shape[1] != 2 || w->shape[3] != (Py_ssize_t)c->dim * c->bond ||
        l->shape[1] != (Py_ssize_t)c->bond * c->bond || f->shape[0] != c->n_steps ||
        f->shape[1] != 2) {
        PyErr_SetString(PyExc_ValueError, "the shapes of weights, label and features must fit "
                                          "each other, and no axis may be empty");
        return 0;
    }
    c->weights = w->buf;
    c->label = l->buf;
    c->features = f->buf;
    c->depths = data(arrays, depths, "depths", 'i', 0, 2, c->n_steps, 2, 0, 0);
    c->vectors = c->depths ? data(arrays, vectors, "vectors", 'f', written, 4, c->n_steps + 1, 2,
                                  c->batch, c->width)
                           : NULL;
    c->norms = c->vectors ? data(arrays, norms, "norms", 'f', written, 3,
                                 normalisations(c->n_steps, c->interval), 2, c->batch, 0)
                          : NULL;
    if (!c->norms)
        return 0;
    for (int i = 0; i < 2 * c->n_steps; i++)
        if (c->depths[i] < 0 || c->depths[i] > c->bond) {
            PyErr_Format(PyExc_ValueError, "depths must be 0 to %d, not %d", c->bond, c->depths[i]);
            return 0;
        }
    return 1;
}

static int contract_one(void *chains, int half)
{
    return contract_half(chains, half);
}

static int backpropagate_one(void *chains, int half)
{
    return backpropagate_half(chains, half);
}

static PyObject *contract(PyObject *module, PyObject *args)
{
    PyObject *weights, *label, *depths, *features, *vectors, *norms, *scores, *result = NULL;
    Chains chains = {0};
    Arrays arrays = {.count = 0};
    int threads, done;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOii:contract", &weights, &label, &depths, &features,
                          &vectors, &norms, &scores, &chains.interval, &threads))
        return NULL;
    if (!read_chains(&arrays, &chains, weights, label, depths, features, vectors, norms, 1))
        goto end;
    chains.scores = data(&arrays, scores, "scores", 'f', 1, 2, chains.n_outputs, chains.batch, 0, 0);
    if (!chains.scores)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = run_both(contract_one, &chains, threads) && join_halves(&chains);
    Py_END_ALLOW_THREADS
    result = done ? Py_NewRef(Py_None) : PyErr_NoMemory();
end:
    release(&arrays);
    return result;
}

static PyObject *gradients(PyObject *module, PyObject *args)
{
    PyObject *weights, *label, *depths, *features, *vectors, *norms, *score_gradient;
    PyObject *weight_gradient, *label_gradient, *result = NULL;
    Chains chains = {0};
    Arrays arrays = {.count = 0};
    int threads, done;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOOOii:gradients", &weights, &label, &depths, &features,
                          &vectors, &norms, &score_gradient, &weight_gradient, &label_gradient,
                          &chains.interval, &threads))
        return NULL;
    if (!read_chains(&arrays, &chains, weights, label, depths, features, vectors, norms, 0))
        goto end;
    chains.score_gradient = data(&arrays, score_gradient, "score_gradient", 'f', 0, 2,
                                 chains.n_outputs, chains.batch, 0, 0);
    if (!chains.score_gradient)
        goto end;
    chains.weight_gradient = data(&arrays, weight_gradient, "weight_gradient", 'f', 1, 4,
                                  chains.n_steps, 2, chains.bond,
                                  (Py_ssize_t)chains.dim * chains.bond);
    if (!chains.weight_gradient)
        goto end;
    chains.label_gradient = data(&arrays, label_gradient, "label_gradient", 'f', 1, 2,
                                 chains.n_outputs, (Py_ssize_t)chains.bond * chains.bond, 0, 0);
    if (!chains.label_gradient)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = run_both(backpropagate_one, &chains, threads);
    Py_END_ALLOW_THREADS
    result = done ? Py_NewRef(Py_None) : PyErr_NoMemory();
end:
    release(&arrays);
    return result;
}

static PyObject *update(PyObject *module, PyObject *args)
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

static PyObject *bernstein(PyObject *module, PyObject *args)
{
    PyObject *inputs, *sites, *features, *result = NULL;
    float binomials[MOST_COMPONENTS];
    Arrays arrays = {.count = 0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:bernstein", &inputs, &sites, &features))
        return NULL;
    Py_buffer *x = view(&arrays, inputs, "inputs", 'f', 2, 0);
    Py_buffer *f = x ? view(&arrays, features, "features", 'f', 4, 1) : NULL;
    if (!f)
        goto end;
    const Py_ssize_t batch = x->shape[0], n_sites = x->shape[1];
    const Py_ssize_t n_steps = f->shape[0], dim = f->shape[3];
    if (f->shape[1] != 2 || f->shape[2] != batch || dim < 2 || dim > MOST_COMPONENTS) {
        PyErr_Format(PyExc_ValueError, "features must have the shape (n_steps, 2, %zd, components), "
                                       "with 2 to %d components", batch, MOST_COMPONENTS);
        goto end;
    }
    const int *site = data(&arrays, sites, "sites", 'i', 0, 2, n_steps, 2, 0, 0);
    if (!site)
        goto end;
    for (Py_ssize_t i = 0; i < 2 * n_steps; i++)
        if (site[i] < -1 || site[i] >= n_sites) {
            PyErr_Format(PyExc_ValueError, "sites must be -1 to %zd, not %d", n_sites - 1, site[i]);
            goto end;
        }
    binomials[0] = 1;
    for (int p = 1; p < dim; p++)
        binomials[p] = binomials[p - 1] * (float)(dim - p) / (float)p;
    const Operations *operations = operations_for(ALIGNMENT);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < 2 * n_steps; i++) {
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

static PyObject *entropy(PyObject *module, PyObject *args)
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
    c.gradient =
        c.labels ? data(&arrays, gradient, "gradient", 'f', 1, 2, c.n_classes, c.batch, 0, 0) : NULL;
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

static PyObject *get_instructions(PyObject *module, PyObject *args)
{
    (void)module, (void)args;
    return PyUnicode_FromString(instructions());
}

static PyObject *set_instructions(PyObject *module, PyObject *args)
{
    const char *name;
    (void)module;
    if (!PyArg_ParseTuple(args, "s:use_instructions", &name))
        return NULL;
    return PyBool_FromLong(use_instructions(name));
}

static PyObject *prepare(PyObject *module, PyObject *args)
{
    (void)module, (void)args;
    return PyBool_FromLong(prepare_worker());
}

static PyObject *after_fork(PyObject *module, PyObject *args)
{
    (void)module, (void)args;
    forget_worker();
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"contract", contract, METH_VARARGS, "Contract a batch."},
    {"gradients", gradients, METH_VARARGS, "Backpropagate the gradient of the scores."},
    {"update", update, METH_VARARGS, "Take one step of Adam."},
    {"bernstein", bernstein, METH_VARARGS, "Map features to Bernstein polynomials."},
    {"cross_entropy", entropy, METH_VARARGS, "Compute a loss, and its gradient."},
    {"instructions", get_instructions, METH_NOARGS, "Name the instructions in use."},
    {"use_instructions", set_instructions, METH_VARARGS, "Use other instructions, if there are."},
    {"prepare_worker", prepare, METH_NOARGS, "Start the second thread, if there is none."},
    {"forget_worker", after_fork, METH_NOARGS, "Begin anew in a forked process."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    use_instructions(NULL);
    return PyModule_AddIntConstant(module, "ALIGNMENT", ALIGNMENT);
}

static PyModuleDef_Slot SLOTS[] = {
    {Py_mod_exec, execute},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_compiled",
    .m_doc = "The training kernel in C.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__compiled(void)
{
    return PyModuleDef_Init(&MODULE);
}
