/*
 * file.h: what the bindings of files share: opening (file_open.c), reads at
 * an offset (file_pread.c), at the file's own position (file_read.c) and ahead
 * (file_chunks.c).
 */
#ifndef QUOLL_CORE_FILE_H
#define QUOLL_CORE_FILE_H

#include "../core/core.h"

typedef struct file_s file_t;

typedef enum {
    FILE_BYTES,     /* up to size bytes */
    FILE_LINE,      /* up to LF, without it */
    FILE_LINE_KEEP, /* up to LF, with it */
    FILE_ALL,       /* up to the end */
    FILE_NUMBER     /* the longest prefix that is a number */
} file_format_t;

/* The read at the file's position; one at a time. */
typedef struct {
    ql_op_t op;
    ql_read_t *read; /* under way */
    ql_buffer_t in;  /* read ahead, not asked for yet */
    ql_buffer_t out; /* in, while a string is made of it: a finaliser that runs
                        then may close the file */
    int64_t next;    /* offset behind the bytes of in */
    uint32_t size;   /* BYTES: asked for */
    uint32_t take;   /* match: bytes of the result */
    uint32_t skip;   /* and bytes behind it that belong to neither */
    uint8_t format;  /* file_format_t */
    bool end;        /* the last fill met the end */
} file_reader_t;

/* Something that goes on using the file between calls. */
typedef struct file_user_s file_user_t;
struct file_user_s {
    ql_queue_t link;                         /* in file->users */
    void (*end)(file_user_t *user, int err); /* the file is being closed */
};

struct file_s {
    ql_handle_t handle;
    ql_core_t *core;
    ql_file_t *file; /* NULL: closed */
    file_reader_t reader;
    ql_queue_t preads; /* file_pread_t that are used */
    ql_queue_t users;  /* of file_user_t.link */
    char path[];       /* for messages */
};

extern const ql_handle_type_t ql__file_type;

/* An open file at index 1, or NULL after pushing nil, "closed", CODE. */
file_t *ql__file_self(lua_State *L, const char *method);
/* Handler of a read's event, whose data is the operation. */
void ql__file_event(ql_event_t *ev);
/* nil, "path: text", CODE */
int ql__file_error(lua_State *L, const file_t *f, int err);

/* A closed one for the script, on top of the stack; the resource comes next. */
file_t *ql__file_new(lua_State *L, ql_core_t *core, const char *path);

/* file_open.c */
extern const luaL_Reg ql__file_open_functions[];

/* file_pread.c */
void ql__file_preads_close(file_t *f, int err);
void ql__file_preads_collect(file_t *f);
void ql__preads_done(ql_core_t *core);
extern const luaL_Reg ql__file_pread_functions[];

/* file_read.c */
void ql__file_reader_init(file_t *f);
void ql__file_reader_close(file_t *f, int err);
/* Of the next byte that read gives. */
int64_t ql__file_position(const file_t *f);
extern const luaL_Reg ql__file_read_functions[];

/* file_chunks.c */
extern const luaL_Reg ql__file_chunks_functions[];

#endif
