/*
 * stream.c: a file from an offset on, piece by piece, with reads ahead: the
 * disk works while the waiter does. The window is a ring of blocks in the
 * order of the file, of which the first is being given out. One block is
 * enough while answers come at once, from the page cache; the first that has
 * to be waited for opens the window, and one that again comes at once shuts
 * it.
 */
#include "../core/loop.h"

#include <errno.h>

enum {
    STREAM_BLOCK = QL__BLOCK_LARGE, /* bytes, if a piece is no larger */
    STREAM_WINDOW = 4,     /* blocks at most, the one given out among them */
    STREAM_LARGE = 1 << 20 /* bytes of a block of which two must do */
};

typedef struct {
    ql_stream_t pub; /* first */
    ql_read_t *window[STREAM_WINDOW];
    uint32_t first; /* index of the block that is given out */
    uint32_t count; /* of blocks */
    uint32_t ahead; /* how many blocks there shall be now */
    uint32_t most;  /* and when the file has to be waited for */
    size_t piece;   /* bytes given at a time */
    size_t block;   /* whole pieces */
    size_t cut;     /* bytes of the first block that were given */
    size_t rest;    /* bytes of the last, short piece: read once more, since
                       the file had grown */
    off_t next;     /* offset of the block to be read next */
    off_t limit;    /* nothing from here on */
    off_t size;     /* of the file when last looked at; 0: unknown */
} ql__stream_t;

static ql_read_t *
first_block(const ql__stream_t *s)
{
    return s->window[s->first];
}

/* Goes on at offset with an empty window. */
static void
restart(ql__stream_t *s, off_t offset)
{
    while (s->count > 0) {
        ql_read_free(first_block(s));
        s->first = (s->first + 1) % STREAM_WINDOW;
        s->count--;
    }
    s->next = offset;
    s->cut = 0;
    s->size = 0;
}

/* A block that nobody waits for goes on by itself: another lane, the rest. */
static void
on_read(ql_event_t *ev)
{
    ql_read_t *r = ql_queue_data(ev, ql_read_t, event);
    ql__stream_t *s = ev->data;

    if (r == first_block(s) && s->pub.event.handler != NULL) {
        s->pub.event.handler(&s->pub.event);
    } else {
        (void) ql_read_attempt(r);
    }
}

/* Appends the next block to the window; its first attempt is the caller's. */
static ql_read_t *
begin_block(ql__stream_t *s)
{
    off_t left = s->limit - s->next;
    size_t size = left < (off_t) s->block ? (size_t) left : s->block;
    ql_read_t *r = ql_read_create(s->pub.file, size, s->next);

    if (r == NULL) {
        return NULL;
    }
    r->event.data = s;
    r->event.handler = on_read;
    s->window[(s->first + s->count) % STREAM_WINDOW] = r;
    s->count++;
    s->next += (off_t) size;
    return r;
}

/* Failures here are met again, and told, when the block's turn has come. */
static void
read_ahead(ql__stream_t *s)
{
    off_t end = s->size < s->limit ? s->size : s->limit;
    ql_read_t *r;

    while (s->count < s->ahead && s->next < end) {
        r = begin_block(s);
        if (r == NULL) {
            break;
        }
        if (ql_read_attempt(r) != NGX_AGAIN) {
            s->ahead = 1;
        }
    }
}

/* Has the file more than `end` bytes by now? Those of /proc say 0. Of what is
 * not local a server would be asked: there the reads find the end. */
static int
look(ql__stream_t *s, off_t end, bool *more)
{
    if (!s->pub.file->local) {
        s->size = s->limit;
        *more = true;
        return NGX_OK;
    }
    s->size = ql_file_size(s->pub.file);
    if (s->size == -1) {
        s->pub.err = errno;
        s->size = 0;
        return NGX_ERROR;
    }
    *more = s->size == 0 || s->size > end;
    return NGX_OK;
}

static int
give(ql__stream_t *s, const char *data, size_t n)
{
    s->pub.data = data;
    s->pub.nbytes = n;
    s->cut += n;
    s->rest = 0;
    return NGX_OK;
}

/* The first block of an empty window. */
static int
begin(ql__stream_t *s)
{
    bool more = s->next < s->limit;

    if (more && s->next >= s->size && look(s, s->next, &more) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!more) {
        return give(s, "", 0);
    }
    if (begin_block(s) == NULL) {
        s->pub.err = errno;
        return NGX_ERROR;
    }
    return NGX_DECLINED;
}

/* Less than a piece is left, and the file ended behind it when it was read. */
static int
give_last(ql__stream_t *s, const ql_read_t *r, size_t left)
{
    bool more = false;

    if (!s->pub.file->local) {
        return give(s, r->data + s->cut, left);
    }
    if (look(s, r->offset + (off_t) r->nbytes, &more) != NGX_OK) {
        return NGX_ERROR;
    }
    if (more && s->size != 0 && s->rest != left) {
        s->rest = left;
        restart(s, r->offset + (off_t) s->cut);
        return NGX_DECLINED;
    }
    return give(s, r->data + s->cut, left);
}

static int
give_piece(ql__stream_t *s, const ql_read_t *r)
{
    size_t left = r->nbytes - s->cut;
    bool is_short = r->nbytes < r->size;

    if (r->nbytes == 0) {
        restart(s, r->offset);
        return give(s, "", 0);
    }
    if (left < s->piece && is_short) {
        return give_last(s, r, left);
    }
    return give(s, r->data + s->cut, left < s->piece ? left : s->piece);
}

/* The first block has been given out. Behind a short one the others may have
 * bytes that came later: they do not follow. */
static void
pop(ql__stream_t *s)
{
    ql_read_t *r = first_block(s);

    if (r->nbytes < r->size) {
        restart(s, r->offset + (off_t) r->nbytes);
        return;
    }
    s->first = (s->first + 1) % STREAM_WINDOW;
    s->count--;
    s->cut = 0;
    ql_read_free(r);
}

static int
step(ql__stream_t *s)
{
    ql_read_t *r;
    int rc;

    if (s->count > 0 && s->cut > 0 && s->cut == first_block(s)->nbytes) {
        pop(s);
    }
    if (s->count == 0) {
        return begin(s);
    }
    r = first_block(s);
    rc = ql_read_attempt(r);
    if (rc == NGX_ERROR) {
        s->pub.err = r->err;
        restart(s, r->offset);
        return NGX_ERROR;
    }
    if (rc == NGX_AGAIN) {
        s->ahead = s->most;
    }
    read_ahead(s);
    return rc == NGX_OK ? give_piece(s, r) : rc;
}

/* ---- the waiter's side ---- */

ql_stream_t *
ql_stream_create(ql_file_t *file, size_t piece, off_t offset, off_t limit)
{
    ql__stream_t *s;

    QL_CHECK_THREAD(file->loop);
    if (piece == 0 || offset < 0 || limit < offset) {
        errno = EINVAL;
        return NULL;
    }
    s = ql__alloc(file->loop, sizeof(*s));
    if (s == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    *s = (ql__stream_t){.pub = {.file = file},
                        .ahead = 1,
                        .piece = piece,
                        .block = STREAM_BLOCK / piece * piece,
                        .next = offset,
                        .limit = limit};
    if (s->block == 0) {
        s->block = piece;
    }
    s->most = s->block < STREAM_LARGE ? STREAM_WINDOW : 2;
    ql__file_hold(file);
    return &s->pub;
}

int
ql_stream_attempt(ql_stream_t *pub)
{
    ql__stream_t *s = (ql__stream_t *) (void *) pub;
    int rc;

    QL_CHECK_THREAD(pub->file->loop);
    do {
        rc = step(s);
    } while (rc == NGX_DECLINED);
    return rc;
}

void
ql_stream_free(ql_stream_t *pub)
{
    ql__stream_t *s = (ql__stream_t *) (void *) pub;
    ql_file_t *file = pub->file;

    QL_CHECK_THREAD(pub->file->loop);
    restart(s, 0);
    ql__free(file->loop, s);
    ql__file_release(file);
}
