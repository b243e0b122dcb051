/* A second thread, which waits for work. */

#ifndef TENSORSPIN_WORKER_H
#define TENSORSPIN_WORKER_H

/* Start the second thread, if it was not started. Called with the interpreter's lock held, so that
   only one thread does. Returns 0 if the system has none. */
int prepare_worker(void);

/* Run task(argument, 0) and task(argument, 1), at the same time if `threads` is 2 or more and the
   second thread is free, else one after the other. Tasks return 0 if they fail; so does this. */
int run_both(int (*task)(void *, int), void *argument, int threads);

/* In a process that was forked: the second thread is not there. */
void forget_worker(void);

#endif
