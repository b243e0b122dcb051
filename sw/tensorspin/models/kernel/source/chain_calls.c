/* Python's calls of chains.h. */

#include "calls.h"

#include "arrays.h"
#include "chains.h"
#include "layout.h"
#include "partition.h"
#include "worker.h"

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
    c->width = padded_to_vectors(c->bond);
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

PyObject *call_contract(PyObject *module, PyObject *args)
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
    chains.scores = data(&arrays, scores, "scores", 'f', 1, 2, chains.n_outputs, chains.batch, 0,
                         0);
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

PyObject *call_gradients(PyObject *module, PyObject *args)
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

PyObject *call_log_partition(PyObject *module, PyObject *args)
{
    PyObject *weights, *label, *depths, *weight_gradient, *label_gradient, *result = NULL;
    Partition p = {0};
    Arrays arrays = {.count = 0};
    int done;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOO:log_partition", &weights, &label, &depths, &weight_gradient,
                          &label_gradient))
        return NULL;
    Py_buffer *w = view(&arrays, weights, "weights", 'f', 4, 0);
    if (!w)
        goto end;
    const Py_ssize_t bond = w->shape[2], columns = w->shape[3];
    if (w->shape[0] < 1 || w->shape[1] != 2 || bond < 1 || columns < 1 || columns % bond) {
        PyErr_SetString(PyExc_ValueError, "weights must have the shape (n_steps, 2, bond, "
                                          "local_dim * bond), and no axis may be empty");
        goto end;
    }
    p.n_steps = (int)w->shape[0];
    p.bond = (int)bond;
    p.dim = (int)(columns / bond);
    p.width = padded_to_vectors(p.bond);
    p.weights = w->buf;
    p.label = data(&arrays, label, "label", 'f', 0, 2, 1, bond * bond, 0, 0);
    if (!p.label)
        goto end;
    p.depths = data(&arrays, depths, "depths", 'i', 0, 2, p.n_steps, 2, 0, 0);
    if (!p.depths)
        goto end;
    p.weight_gradient =
        data(&arrays, weight_gradient, "weight_gradient", 'f', 1, 4, p.n_steps, 2, bond, columns);
    if (!p.weight_gradient)
        goto end;
    p.label_gradient =
        data(&arrays, label_gradient, "label_gradient", 'f', 1, 2, 1, bond * bond, 0, 0);
    if (!p.label_gradient)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = log_partition(&p);
    Py_END_ALLOW_THREADS
    result = done ? PyFloat_FromDouble(p.log_z) : PyErr_NoMemory();
end:
    release(&arrays);
    return result;
}
