/*
 * zstd_call.h: what threads do (zstd_call.c) and what scripts see of it (zstd.c)
 * share this. Two files, so that what runs on threads cannot name Lua, which they
 * may not touch: it has no header of it.
 */
#ifndef EXAMPLES_ZSTD_CALL_H
#define EXAMPLES_ZSTD_CALL_H

#include <quoll.h>

#include <zstd.h>

typedef struct {
    char *data; /* malloc'ed */
    size_t size;
    size_t room; /* bytes allocated */
} buffer_t;

/*
 * Compresses or decompresses. What a script pushes is copied into it; a thread
 * codes a block of that at a time, so that others have their turn and a coder
 * that is let go ends soon. A thread has it while its call is made, the loop's
 * thread otherwise.
 */
typedef struct {
    ql_call_t call;      /* first */
    ZSTD_CCtx *cctx;     /* NULL: it decompresses */
    ZSTD_DCtx *dctx;     /* NULL: it compresses */
    buffer_t in;         /* what was pushed */
    size_t at;           /* bytes of `in` that are coded */
    buffer_t out;        /* result */
    size_t limit;        /* bytes that may come out until the next finish */
    size_t left;         /* of them */
    int mode;            /* of the push: a ZSTD_EndDirective */
    int within;          /* decompressing: no frame yet, or one has not ended */
    const char *code;    /* "ZSTD_CORRUPT": why it failed, for good; or NULL */
    const char *message; /* in words */
} coder_t;

/* level: NULL for one that decompresses. NULL with errno. */
coder_t *coder_create(ql_loop_t *loop, const int *level, size_t limit);
/* Its call will code a copy of data; 0: there is no memory. */
int coder_begin(coder_t *c, const char *data, size_t size, int mode);

#endif
