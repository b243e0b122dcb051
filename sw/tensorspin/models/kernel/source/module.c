/* The Python module `_compiled`: takes arrays by the buffer protocol, checks them, and calls the
   rest with the interpreter's lock released. */

#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000 /* buffers are part of it since Python 3.11 */
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <limits.h>

#include "chains.h"
#include "operations.h"
#include "worker.h"

#define MOST_ARRAYS 12

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
