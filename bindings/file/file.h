/*
 * file.h: what the bindings of files share: opening (file_open.c), the
 * position (file_seek.c), reads at an offset (file_pread.c), at the position
 * (file_read.c) and ahead (file_chunks.c), writes (file_write.c,
 * file_pwrite.c), calls that move no bytes (file_sync.c).
 */
#ifndef QUOLL_FILE_H
#define QUOLL_FILE_H

#include "../core/core.h"
#include "../core/path.h"

typedef struct ql_lua_file_s ql_lua_file_t;

typedef enum {
    FILE_BYTES,     /* up to size bytes */
    FILE_LINE,      /* up to LF, without it */
    FILE_LINE_KEEP, /* up to LF, with it */
    FILE_ALL,       /* up to the end */
    FILE_NUMBER     /* the longest prefix that is a number */
} ql_file_format_t;

/* The read at the file's position; one at a time. */
typedef struct {
    ql_op_t op;
    ql_event_t turn; /* posted: goes on after others have had their turn */
    ql_read_t *read; /* under way */
    ql_buffer_t in;  /* read ahead, not asked for yet; stays while a string is
                        made of it (op.pushing), whoever closes the file */
    int64_t next;    /* offset behind the bytes of in */
    uint32_t size;   /* BYTES: asked for */
    uint32_t take;   /* match: bytes of the result */
    uint32_t skip;   /* and bytes behind it that belong to neither */
    uint8_t format;  /* ql_file_format_t */
    bool end;        /* the last fill met the end */
    bool stale;      /* the file has changed under the bytes of in */
} ql_file_reader_t;

/* Bytes on their way into the file. What a thread writes is a copy, of a part
 * at a time; the rest is the script's, anchored while its task waits. */
typedef struct {
    ql_write_t *write; /* the part that a thread has; NULL: none */
    const char *data;  /* behind that part */
    size_t left;       /* bytes at data */
    off_t offset;      /* where the next part goes */
} ql_file_output_t;

/* The write at the file's position; one at a time. */
typedef struct {
    ql_op_t op;
    ql_file_output_t out; /* out.offset -1: the position, not known yet */
    ql_write_t *late;     /* of a cancelled write, and not done: who needs the
                          position waits for it; NULL: none */
} ql_file_writer_t;

/* Something that goes on using the file between calls. */
typedef struct ql_file_user_s ql_file_user_t;
struct ql_file_user_s {
    ql_queue_t link;                            /* in file->users */
    void (*end)(ql_file_user_t *user, int err); /* the file is being closed */
};

struct ql_lua_file_s {
    ql_handle_t handle;
    ql_core_t *core;
    ql_file_t *file; /* NULL: closed */
    ql_file_reader_t reader;
    ql_file_writer_t writer;
    ql_queue_t preads; /* file_pread_t that are used */
    ql_queue_t users;  /* of ql_file_user_t.link */
    char path[];       /* for messages */
};

/* A wait that needs no position, on a userdata of its own; several may be
 * under way. */
typedef struct {
    ql_handle_t handle;
    ql_op_t op;
    ql_file_user_t user;  /* of file, until the results are pushed */
    ql_lua_file_t *file;  /* anchored beside it */
    ql_call_t *call;      /* sync, truncate, stat */
    ql_file_output_t out; /* pwrite */
    int64_t offset;       /* seek: from the end */
} ql_lua_file_call_t;

extern const ql_handle_type_t ql__file_type;

/* An open file at index 1, or NULL after pushing nil, "closed", CODE. */
ql_lua_file_t *ql__file_self(lua_State *L, const char *method);
/* Handler of a read's event, whose data is the operation. */
void ql__file_event(ql_event_t *ev);
/* nil, "path: text", CODE */
int ql__file_error(lua_State *L, const ql_lua_file_t *f, int err);

/* A closed one for the script, on top of the stack; the resource comes next. */
ql_lua_file_t *ql__file_new(lua_State *L, ql_core_t *core, const char *path);

/* file_open.c */
extern const luaL_Reg ql__file_open_functions[];

/* file_close.c */
extern const luaL_Reg ql__file_close_functions[];

/* file_share.c */
extern const luaL_Reg ql__file_share_functions[];

/* file_pread.c */
void ql__file_preads_close(ql_lua_file_t *f, int err);
void ql__file_preads_collect(ql_lua_file_t *f);
void ql__preads_done(ql_core_t *core);
extern const luaL_Reg ql__file_pread_functions[];

/* file_read.c */
void ql__file_reader_init(ql_lua_file_t *f);
void ql__file_reader_close(ql_lua_file_t *f, int err);
extern const luaL_Reg ql__file_read_functions[];

/* file_seek.c */
/* Of the next byte that read gives. */
int64_t ql__file_position(const ql_lua_file_t *f);
/* Forgets what was read ahead. */
void ql__file_set_position(ql_lua_file_t *f, int64_t position);
/* QL_E_BUSY_READING, QL_E_BUSY_WRITING: a task reads or writes at the
 * position; 0: none does. */
int ql__file_busy(lua_State *L, ql_lua_file_t *f);
extern const luaL_Reg ql__file_seek_functions[];

/* file_write.c */
void ql__file_writer_init(ql_lua_file_t *f);
void ql__file_writer_close(ql_lua_file_t *f, int err);
/* NGX_AGAIN: a cancelled write is under way, op (NULL: nobody) is told when
 * no longer; NGX_OK: it has moved the position. */
int ql__file_writer_settle(ql_lua_file_t *f, ql_op_t *op);
/* Replaces the arguments from index 2 to the top by one, the bytes to write:
 * a string, or a userdata made of several and of tables. Raises. */
ql_file_output_t ql__file_output(lua_State *L, const char *method);
/* NGX_OK: everything is written. */
int ql__file_output_attempt(ql_lua_file_t *f, ql_op_t *op,
                            ql_file_output_t *out);
extern const luaL_Reg ql__file_write_functions[];

/* file_pwrite.c */
extern const luaL_Reg ql__file_pwrite_functions[];

/* file_call.c */
/* On top of the stack; NULL: the file was closed meanwhile, the error is
 * pushed. */
ql_lua_file_call_t *ql__file_call_new(lua_State *L, ql_lua_file_t *f,
                                      const ql_op_type_t *type);
/* The call is made; NULL: it could not be, errno says why. */
int ql__file_call_await(lua_State *L, ql_lua_file_call_t *c, ql_call_t *call);
/* For its type: true | nil, "path: err", CODE. */
int ql__file_call_attempt(ql_op_t *op);
int ql__file_call_push(lua_State *L, ql_op_t *op, int rc);
void ql__file_call_let_go(ql_op_t *op);
void ql__file_call_describe(ql_op_t *op, char *text, size_t size);

/* file_seek.c: size() of a file that is not local: waits. */
int ql__file_await_size(lua_State *L, ql_lua_file_t *f);

/* file_sync.c */
extern const luaL_Reg ql__file_sync_functions[];

/* file_chunks.c */
extern const luaL_Reg ql__file_chunks_functions[];

#endif
