/*
 * check.c: what misuse is told by, and whose thread a loop is.
 */
#include "loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
ql_misuse(const char *function, const char *fmt, ...)
{
    char text[400], line[512];
    va_list args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void) snprintf(line, sizeof(line), "quoll: misuse: %s: %s\n", function,
                    text);
    /* Not by the log, nor by the loop's table: both are its thread's. */
    (void) ql_sys_default.write(STDERR_FILENO, line, strlen(line));
    abort();
}

int
ql_loop_own_thread(const ql_loop_t *loop)
{
    return pthread_equal(loop->thread, pthread_self());
}
