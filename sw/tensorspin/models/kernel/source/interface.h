/* The interpreter's interface, of which only the stable part is used where there is one. */

#ifndef TENSORSPIN_INTERFACE_H
#define TENSORSPIN_INTERFACE_H

#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000 /* buffers are part of it since Python 3.11 */
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#endif
