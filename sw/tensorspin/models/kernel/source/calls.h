/* Functions of the Python module: each takes a tuple of arguments, checks them, and computes with
   the interpreter's lock released. */

#ifndef TENSORSPIN_CALLS_H
#define TENSORSPIN_CALLS_H

#include "interface.h"

PyObject *call_contract(PyObject *module, PyObject *args);
PyObject *call_gradients(PyObject *module, PyObject *args);
PyObject *call_log_partition(PyObject *module, PyObject *args);
PyObject *call_contract_tree(PyObject *module, PyObject *args);
PyObject *call_tree_gradients(PyObject *module, PyObject *args);
PyObject *call_update(PyObject *module, PyObject *args);
PyObject *call_bernstein(PyObject *module, PyObject *args);
PyObject *call_cross_entropy(PyObject *module, PyObject *args);

#endif
