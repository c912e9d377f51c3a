/*
 * message.c: messages from bytes that come in pieces.
 */
#include "message.h"

#include <stdlib.h>
#include <string.h>

static const ql_http_limits_t limits = {.line = 200, .head = 600, .fields = 12};

/* Bytes from..to as a block of their own. */
static char *
copy(const uint8_t *data, size_t from, size_t to)
{
    char *block = malloc(to - from + (to == from));

    FUZZ_ASSERT(block != NULL);
    memcpy(block, data + from, to - from);
    return block;
}

static void
add(fuzz_result_t *to, const char *piece, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        to->hash = (to->hash ^ (uint8_t) piece[i]) * 1099511628211U;
    }
    to->size += n;
}

/* One look at the body: data[used..come). */
static void
look(fuzz_result_t *to, const uint8_t *data, size_t come)
{
    char *block = copy(data, to->used, come);
    uint32_t n = (uint32_t) (come - to->used);
    uint32_t used;
    ql_http_span_t piece;

    to->body = ql_http_body(&to->message, block, n, &used, &piece);
    FUZZ_ASSERT(used <= n && piece.at <= used && piece.size <= used - piece.at);
    FUZZ_ASSERT(to->body != NGX_OK || piece.size > 0);
    FUZZ_ASSERT(to->body == NGX_OK || to->body == NGX_DONE || piece.size == 0);
    add(to, block + piece.at, piece.size);
    to->tail = to->used;
    to->used += used;
    free(block);
}

static void
body(fuzz_result_t *to, const uint8_t *data, size_t come)
{
    do {
        look(to, data, come);
    } while (to->body == NGX_OK);
}

static void
head(fuzz_result_t *to, const uint8_t *data, size_t come)
{
    char *block = copy(data, 0, come);

    to->head = ql_http_head(&to->message, block, (uint32_t) come);
    free(block);
    if (to->head == NGX_OK) {
        to->used = to->message.size;
    }
}

void
fuzz_parse(fuzz_result_t *to, const fuzz_plan_t *plan, const uint8_t *data,
           size_t n)
{
    size_t come = plan->first < n ? plan->first : n;

    memset(to, 0, sizeof(*to));
    to->head = to->body = NGX_AGAIN;
    ql_http_message_init(&to->message, plan->kind, &limits);
    to->message.block = plan->block;
    if (plan->bodyless) {
        ql_http_message_bodyless(&to->message);
    }
    for (;;) {
        if (to->head == NGX_AGAIN) {
            head(to, data, come);
        }
        if (to->head == NGX_OK && to->body == NGX_AGAIN) {
            body(to, data, come);
        }
        if (come == n) {
            return;
        }
        come = plan->step == 0 || n - come < plan->step ? n : come + plan->step;
    }
}

static bool
same_span(ql_http_span_t a, ql_http_span_t b)
{
    return a.at == b.at && a.size == b.size;
}

static void
same_head(const ql_http_message_t *a, const ql_http_message_t *b)
{
    FUZZ_ASSERT(a->size == b->size && a->count == b->count
                && a->length == b->length && a->method == b->method
                && a->status == b->status && a->minor == b->minor
                && a->keep_alive == b->keep_alive && a->chunked == b->chunked
                && a->until_eof == b->until_eof && a->expect == b->expect
                && a->upgrade == b->upgrade && a->absolute == b->absolute);
    FUZZ_ASSERT(same_span(a->target, b->target) && same_span(a->path, b->path)
                && same_span(a->query, b->query) && same_span(a->host, b->host)
                && same_span(a->reason, b->reason));
    for (unsigned i = 0; i < a->count; i++) {
        FUZZ_ASSERT(same_span(a->fields[i].name, b->fields[i].name)
                    && same_span(a->fields[i].value, b->fields[i].value));
    }
}

void
fuzz_same(const fuzz_result_t *a, const fuzz_result_t *b)
{
    const ql_http_message_t *m = &a->message, *o = &b->message;

    FUZZ_ASSERT(a->head == b->head && m->error == o->error && m->why == o->why);
    if (a->head != NGX_OK) {
        return;
    }
    FUZZ_ASSERT(a->body == b->body && a->size == b->size && a->hash == b->hash);
    if (a->body == NGX_ERROR) {
        return;
    }
    same_head(m, o);
    FUZZ_ASSERT(a->used == b->used && m->trailers == o->trailers);
    if (a->body != NGX_DONE) {
        return; /* trailers of which more is to come are anywhere */
    }
    for (unsigned i = m->count; i < (unsigned) m->count + m->trailers; i++) {
        FUZZ_ASSERT(m->fields[i].name.at + a->tail
                        == o->fields[i].name.at + b->tail
                    && m->fields[i].value.size == o->fields[i].value.size);
    }
}

/* As the fields before were, and once more, as these are. */
static void
again(const fuzz_result_t *whole, fuzz_plan_t plan, ql_http_block_t *block,
      const uint8_t *data, size_t n)
{
    fuzz_result_t other;

    plan.block = block;
    for (int i = 0; i < 2; i++) {
        fuzz_parse(&other, &plan, data, n);
        fuzz_same(whole, &other);
    }
}

void
fuzz_message(ql_http_kind_t kind, bool bodyless, const uint8_t *data, size_t n)
{
    fuzz_plan_t plan = {kind, bodyless, n, 0, NULL};
    fuzz_result_t whole, other;
    ql_http_block_t block = {.size = 0};
    size_t cut = n > 0 ? data[n - 1] : 0;
    int messages = 0;

    for (;;) {
        plan.first = n;
        fuzz_parse(&whole, &plan, data, n);
        fuzz_judge(&whole, data);
        again(&whole, plan, &block, data, n);
        for (plan.step = 0; plan.step < 9; plan.step += 4) {
            plan.first = n > 0 ? (cut + plan.step) % n : 0;
            fuzz_parse(&other, &plan, data, n);
            fuzz_same(&whole, &other);
        }
        plan.first = plan.step = 1;
        fuzz_parse(&other, &plan, data, n);
        fuzz_same(&whole, &other);
        plan.step = 0;
        if (whole.body != NGX_DONE || ++messages == 4) {
            return;
        }
        data += whole.used;
        n -= whole.used;
    }
}
