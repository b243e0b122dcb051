/* The Python module `_compiled`: its table of functions. */

#include "calls.h"
#include "operations.h"
#include "worker.h"

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
    {"contract", call_contract, METH_VARARGS, "Contract a batch."},
    {"gradients", call_gradients, METH_VARARGS, "Backpropagate the gradient of the scores."},
    {"log_partition", call_log_partition, METH_VARARGS, "Compute the norm of a chain."},
    {"contract_tree", call_contract_tree, METH_VARARGS, "Contract a batch in a tree."},
    {"tree_gradients", call_tree_gradients, METH_VARARGS, "Backpropagate through a tree."},
    {"update", call_update, METH_VARARGS, "Take one step of Adam."},
    {"bernstein", call_bernstein, METH_VARARGS, "Map features to Bernstein polynomials."},
    {"cross_entropy", call_cross_entropy, METH_VARARGS, "Compute a loss, and its gradient."},
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
