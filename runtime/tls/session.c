/*
 * session.c: the sessions that the connections of a client's context can
 * resume, one for each name, the least recently used dropped first.
 */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

enum {
    SESSIONS_MAX = 256
};

typedef struct {
    ql_queue_t link;
    SSL_SESSION *session;
    char name[];
} kept_t;

static kept_t *
find(ql_tls_context_t *context, const char *name)
{
    ql_queue_t *head = &context->sessions;

    for (ql_queue_t *q = head->next; q != head; q = q->next) {
        kept_t *kept = ql_queue_data(q, kept_t, link);

        if (strcmp(kept->name, name) == 0) {
            return kept;
        }
    }
    return NULL;
}

static void
drop(ql_tls_context_t *context, kept_t *kept)
{
    ql_queue_remove(&kept->link);
    context->nsessions--;
    SSL_SESSION_free(kept->session);
    context->sys->free(kept);
}

void
ql_tls_session_keep(ql_tls_context_t *context, const char *name,
                    SSL_SESSION *session)
{
    kept_t *kept = find(context, name);
    size_t size = strlen(name) + 1;

    if (kept != NULL) {
        drop(context, kept);
    }
    kept = context->sys->malloc(sizeof(*kept) + size);
    if (kept == NULL) {
        return;
    }
    memcpy(kept->name, name, size);
    (void) SSL_SESSION_up_ref(session);
    kept->session = session;
    ql_queue_insert_head(&context->sessions, &kept->link);
    if (++context->nsessions > SESSIONS_MAX) {
        drop(context, ql_queue_data(context->sessions.prev, kept_t, link));
    }
}

SSL_SESSION *
ql_tls_session_find(ql_tls_context_t *context, const char *name)
{
    kept_t *kept = find(context, name);

    if (kept == NULL) {
        return NULL;
    }
    if (!SSL_SESSION_is_resumable(kept->session)) {
        drop(context, kept);
        return NULL;
    }
    ql_queue_remove(&kept->link);
    ql_queue_insert_head(&context->sessions, &kept->link);
    return kept->session;
}

void
ql_tls_sessions_drop(ql_tls_context_t *context)
{
    while (!ql_queue_empty(&context->sessions)) {
        drop(context, ql_queue_data(context->sessions.next, kept_t, link));
    }
}
