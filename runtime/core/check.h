/*
 * check.h: how debug builds find misuse. They are compiled with QL_CHECKS; in
 * any other build the checks are not compiled, and cost nothing.
 */
#ifndef QUOLL_CHECK_H
#define QUOLL_CHECK_H

#include "../quoll.h"

/* Ends the process unless ok, with the words of a printf format and the name of
 * the function. */
#ifdef QL_CHECKS
#define QL_DEBUG_CHECK(ok, ...)                                                \
    ((ok) ? (void) 0 : ql_misuse(__func__, __VA_ARGS__))
#else
#define QL_DEBUG_CHECK(ok, ...) ((void) sizeof((ok) ? 1 : 0))
#endif

#define QL_FOREIGN_THREAD                                                      \
    "called from a thread that is not the loop's; there only ql_notify() and " \
    "ql_post_from_thread() may be"

/* At the start of every public function that only the loop's thread calls. */
#define QL_CHECK_THREAD(loop)                                                  \
    QL_DEBUG_CHECK(ql_loop_own_thread(loop), QL_FOREIGN_THREAD)

/* Of what is about to be posted, armed or awaited. */
#define QL_CHECK_EVENT(ev)                                                     \
    QL_DEBUG_CHECK(!(ev)->freed, "the event's connection was closed")

#endif
