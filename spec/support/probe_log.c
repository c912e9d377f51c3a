#include "probe.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *lines;
static size_t used;

void
ql_probe_writer(void *data, int level, const char *text)
{
    char number[16];

    (void) data;
    snprintf(number, sizeof number, "%d ", level);
    size_t more = strlen(number) + strlen(text) + 1;

    pthread_mutex_lock(&mutex);
    char *grown = realloc(lines, used + more + 1);
    if (grown != NULL) {
        lines = grown;
        used += (size_t) sprintf(lines + used, "%s%s\n", number, text);
    }
    pthread_mutex_unlock(&mutex);
}

const char *
ql_probe_log(void)
{
    return lines != NULL ? lines : "";
}

void
ql_probe_log_done(void)
{
    free(lines);
    lines = NULL;
    used = 0;
}
