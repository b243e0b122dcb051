/* A second thread, which waits for work; see worker.h.

   Threads and locks are those of Python, which has them on every system. The thread never touches
   an object of Python, so that it needs nothing else of the interpreter. A lock of Python may be
   released by a thread that did not acquire it. */

#include "worker.h"

#include <stdlib.h>

#include "interface.h"

/* What a failed start returns; the stable interface has no name for it. */
#define NO_THREAD ((unsigned long)-1)

typedef struct {
    PyThread_type_lock busy;  /* held by the thread that the work belongs to */
    PyThread_type_lock begun; /* released when there is work */
    PyThread_type_lock ended; /* released when it is done */
    int (*task)(void *, int);
    void *argument;
    int result;
} Worker;

static Worker *worker;

static void wait_for_work(void *self)
{
    Worker *w = self;
    for (;;) {
        PyThread_acquire_lock(w->begun, WAIT_LOCK);
        w->result = w->task(w->argument, 1);
        PyThread_release_lock(w->ended);
    }
}

/* Start the thread; it lives as long as the process. NULL if the system has none. */
static Worker *started(void)
{
    Worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->busy = PyThread_allocate_lock();
    w->begun = PyThread_allocate_lock();
    w->ended = PyThread_allocate_lock();
    if (!w->busy || !w->begun || !w->ended)
        return NULL;
    PyThread_acquire_lock(w->begun, WAIT_LOCK);
    PyThread_acquire_lock(w->ended, WAIT_LOCK);
    if (PyThread_start_new_thread(wait_for_work, w) == NO_THREAD)
        return NULL;
    return w;
}

int prepare_worker(void)
{
    if (!worker)
        worker = started();
    return worker != NULL;
}

int run_both(int (*task)(void *, int), void *argument, int threads)
{
    Worker *w = worker;
    if (threads < 2 || !w || !PyThread_acquire_lock(w->busy, NOWAIT_LOCK)) {
        int first = task(argument, 0);
        return task(argument, 1) && first;
    }
    w->task = task;
    w->argument = argument;
    PyThread_release_lock(w->begun);
    int first = task(argument, 0);
    PyThread_acquire_lock(w->ended, WAIT_LOCK);
    int second = w->result;
    PyThread_release_lock(w->busy);
    return first && second;
}

void forget_worker(void)
{
    /* The locks may have been held when the process was forked: new ones are made with the new
       thread, and these few bytes are lost. */
    worker = NULL;
}
