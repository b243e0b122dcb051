/* Python's calls of trees.h. */

#include "calls.h"

#include "arrays.h"
#include "layout.h"
#include "trees.h"
#include "worker.h"

/* Columns of the table of nodes. */
enum { LAYER, INDEX, LEFT, RIGHT, OUTPUTS, N_LEFT, N_RIGHT, PADDED_RIGHT, PART, N_COLUMNS };

/* The arrays of all layers, which are not limited in number. */
typedef struct {
    Py_buffer *views;
    Py_ssize_t count;
} Layers;

static void release_layers(Layers *layers)
{
    while (layers->count)
        PyBuffer_Release(&layers->views[--layers->count]);
    PyMem_Free(layers->views);
    layers->views = NULL;
}

static int read_layers(Layers *layers, PyObject *tuple, int written)
{
    const Py_ssize_t count = PyTuple_Size(tuple);
    layers->views = PyMem_Calloc((size_t)count + 1, sizeof *layers->views);
    if (!layers->views) {
        PyErr_NoMemory();
        return 0;
    }
    for (; layers->count < count; layers->count++)
        if (!fill_view(&layers->views[layers->count], PyTuple_GetItem(tuple, layers->count),
                       "the array of a layer", 'f', 3, written))
            return 0;
    return 1;
}

/* Number of entries of a child's vectors; -1 if there is no such child. */
static int size_of(const Tree *t, const Node *nodes, int child, int before)
{
    if (child < 0 || child >= before)
        return -1;
    return child < t->n_leaves ? t->leaf_dim : nodes[child - t->n_leaves].outputs;
}

/* Read one row of the table into a node; 0 if it does not fit the rest. */
static int read_node(const Tree *t, Node *nodes, int number, const int *row, const Layers *layers)
{
    Node *n = &nodes[number];
    n->left = row[LEFT];
    n->right = row[RIGHT];
    n->outputs = row[OUTPUTS];
    n->n_left = row[N_LEFT];
    n->n_right = row[N_RIGHT];
    n->part = row[PART];
    const int before = t->n_leaves + number, padded = row[PADDED_RIGHT];
    if (n->outputs < 1 || n->n_left < 1 || n->n_right < 1 || padded < n->n_right ||
        n->n_left != size_of(t, nodes, n->left, before) ||
        n->n_right != size_of(t, nodes, n->right, before) || n->part < 0 || n->part > 2 ||
        (n->part == 2) != (number == t->n_nodes - 1) || row[LAYER] < 0 ||
        row[LAYER] >= layers->count)
        return 0;
    const Py_buffer *layer = &layers->views[row[LAYER]];
    if (row[INDEX] < 0 || row[INDEX] >= layer->shape[0] || n->outputs > layer->shape[1] ||
        (Py_ssize_t)n->n_left * padded > layer->shape[2])
        return 0;
    /* Both parts are computed at the same time: no node may read one of the other part. */
    for (int side = 0; side < 2; side++) {
        const int child = side ? n->right : n->left;
        if (child >= t->n_leaves && n->part != 2 && nodes[child - t->n_leaves].part != n->part)
            return 0;
    }
    n->k_stride = (Size)layer->shape[2];
    n->a_stride = (Size)padded;
    n->size = (Size)(layer->shape[1] * layer->shape[2]);
    n->weights = (const float *)layer->buf + (Size)row[INDEX] * n->size;
    n->start = number ? nodes[number - 1].start + vectors_size(&nodes[number - 1], t->batch) : 0;
    return 1;
}

/* Read tree, batch and vectors: what both functions take first. `nodes` is to be freed. */
static int read_tree(Arrays *arrays, Layers *layers, Tree *t, Node **nodes, PyObject *weights,
                     PyObject *table, PyObject *features, PyObject *vectors, PyObject *norms,
                     int written)
{
    if (!read_layers(layers, weights, 0))
        return 0;
    Py_buffer *rows = view(arrays, table, "table", 'i', 2, 0);
    Py_buffer *f = rows ? view(arrays, features, "features", 'f', 3, 0) : NULL;
    if (!f)
        return 0;
    t->n_nodes = (int)rows->shape[0];
    t->n_leaves = (int)f->shape[0];
    t->batch = (int)f->shape[1];
    t->leaf_dim = (int)f->shape[2];
    t->features = f->buf;
    if (t->n_nodes < 1 || t->batch < 1 || t->leaf_dim < 1 || rows->shape[1] != N_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "table and features must not be empty, and the table "
                                          "must have 9 columns");
        return 0;
    }
    Node *made = PyMem_Calloc((size_t)t->n_nodes, sizeof *made);
    if (!made) {
        PyErr_NoMemory();
        return 0;
    }
    *nodes = made;
    t->nodes = made;
    for (int i = 0; i < t->n_nodes; i++)
        if (!read_node(t, made, i, (const int *)rows->buf + i * N_COLUMNS, layers)) {
            PyErr_Format(PyExc_ValueError, "row %d of the table of nodes does not fit the rest", i);
            return 0;
        }
    const Node *root = &made[t->n_nodes - 1];
    const Py_ssize_t size = (Py_ssize_t)(root->start + vectors_size(root, t->batch));
    t->vectors = data(arrays, vectors, "vectors", 'f', written, 1, size, 0, 0, 0);
    if (!t->vectors)
        return 0;
    t->norms = data(arrays, norms, "norms", 'f', written, 2, t->n_nodes, t->batch, 0, 0);
    return t->norms != NULL;
}

static int contract_one(void *tree, int part)
{
    return contract_part(tree, part);
}

static int backpropagate_one(void *tree, int part)
{
    return backpropagate_part(tree, part);
}

PyObject *call_contract_tree(PyObject *module, PyObject *args)
{
    PyObject *weights, *table, *features, *vectors, *norms, *scores, *result = NULL;
    Tree tree = {0};
    Node *nodes = NULL;
    Arrays arrays = {.count = 0};
    Layers layers = {NULL, 0};
    int threads, done;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OOOOOi:contract_tree", &PyTuple_Type, &weights, &table,
                          &features, &vectors, &norms, &scores, &threads))
        return NULL;
    if (!read_tree(&arrays, &layers, &tree, &nodes, weights, table, features, vectors, norms, 1))
        goto end;
    tree.scores = data(&arrays, scores, "scores", 'f', 1, 2, nodes[tree.n_nodes - 1].outputs,
                       tree.batch, 0, 0);
    if (!tree.scores)
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = run_both(contract_one, &tree, threads) && contract_part(&tree, 2);
    Py_END_ALLOW_THREADS
    result = done ? Py_NewRef(Py_None) : PyErr_NoMemory();
end:
    PyMem_Free(nodes);
    release_layers(&layers);
    release(&arrays);
    return result;
}

PyObject *call_tree_gradients(PyObject *module, PyObject *args)
{
    PyObject *weights, *table, *features, *vectors, *norms, *score_gradient, *gradients;
    PyObject *result = NULL;
    Tree tree = {0};
    Node *nodes = NULL;
    Arrays arrays = {.count = 0};
    Layers layers = {NULL, 0}, written = {NULL, 0};
    int threads, done = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OOOOOO!i:tree_gradients", &PyTuple_Type, &weights, &table,
                          &features, &vectors, &norms, &score_gradient, &PyTuple_Type, &gradients,
                          &threads))
        return NULL;
    if (!read_tree(&arrays, &layers, &tree, &nodes, weights, table, features, vectors, norms, 0) ||
        !read_layers(&written, gradients, 1))
        goto end;
    const Node *root = &nodes[tree.n_nodes - 1];
    tree.score_gradient = data(&arrays, score_gradient, "score_gradient", 'f', 0, 2, root->outputs,
                               tree.batch, 0, 0);
    if (!tree.score_gradient)
        goto end;
    int same = layers.count == written.count;
    for (Py_ssize_t i = 0; same && i < layers.count; i++)
        for (int axis = 0; axis < 3; axis++)
            same = same && layers.views[i].shape[axis] == written.views[i].shape[axis];
    if (!same) {
        PyErr_SetString(PyExc_ValueError, "gradients must have the shapes of the layers");
        goto end;
    }
    const int *row = arrays.views[0].buf; /* the table */
    for (int i = 0; i < tree.n_nodes; i++, row += N_COLUMNS)
        nodes[i].gradient =
            (float *)written.views[row[LAYER]].buf + (Size)row[INDEX] * nodes[i].size;
    tree.vector_gradients =
        PyMem_Malloc((root->start + vectors_size(root, tree.batch)) * sizeof(float));
    if (tree.vector_gradients) {
        Py_BEGIN_ALLOW_THREADS
        done = backpropagate_part(&tree, 2) && run_both(backpropagate_one, &tree, threads);
        Py_END_ALLOW_THREADS
    }
    result = done ? Py_NewRef(Py_None) : PyErr_NoMemory();
end:
    PyMem_Free(tree.vector_gradients);
    PyMem_Free(nodes);
    release_layers(&layers);
    release_layers(&written);
    release(&arrays);
    return result;
}
