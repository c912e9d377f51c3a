/*
 * sqlite.h: what threads do (sqlite_call.c) and what scripts see of it (sqlite.c)
 * share these. Two files, so that what runs on threads cannot name Lua, which
 * they may not touch: it has no header of it.
 *
 * A connection and a query are a ql_call_t each. Threads run them: they open,
 * step, finalise and close. The loop's thread creates them, lets them go, and
 * reads what they have found while no thread has them.
 */
#ifndef EXAMPLES_SQLITE_H
#define EXAMPLES_SQLITE_H

#include <quoll.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* What both begin with. */
typedef struct {
    ql_call_t call;
    const char *code;  /* "BUSY": why it failed; NULL: it has not */
    const char *why;   /* in words of ours; NULL: SQLite's are better */
    char *message;     /* in words */
    const char *about; /* its path, its SQL */
    void (*let_go)(ql_call_t *call); /* of its handle */
} job_t;

enum {
    BATCH = 64, /* rows that a query has at a time */
    WORDS = 60  /* bytes of its SQL that tell what a task waits for */
};

typedef struct {
    job_t job; /* opens; its undo closes */
    sqlite3 *sqlite;
    unsigned refs; /* its handle and its queries; the last one lets go */
    int flags;     /* SQLITE_OPEN_* */
    char path[];
} database_t;

typedef struct {
    job_t job; /* has some rows, made again the next; its undo finalises */
    database_t *db;
    sqlite3_stmt *statement; /* NULL: not prepared yet, or at its end */
    sqlite3_str *params;     /* items */
    sqlite3_str *rows;       /* result: items, row by row */
    int columns;             /* result: items of a row */
    int stop;                /* atomic: nobody waits for it any more */
    char sql[];
} query_t;

/* A parameter, or a column of a row, as bytes: this, its name, its data. */
typedef struct {
    int type; /* SQLITE_INTEGER, ...; one that a double cannot hold is a
               * SQLITE_TEXT */
    int64_t integer;
    double number; /* an integer, too */
    size_t named;  /* bytes of the name, its \0 included; "": by position */
    size_t size;   /* bytes of data: of a text, of a blob */
} item_t;

static inline void
item_put(sqlite3_str *to, const item_t *item, const char *name,
         const void *data)
{
    sqlite3_str_append(to, (const char *) item, sizeof(*item));
    sqlite3_str_append(to, name, (int) item->named);
    sqlite3_str_append(to, data, (int) item->size);
}

/* The one at `at`; returns what is behind it. */
static inline const char *
item_get(const char *at, item_t *item, const char **name, const char **data)
{
    memcpy(item, at, sizeof(*item));
    *name = at + sizeof(*item);
    *data = *name + item->named;
    return *data + item->size;
}

/* "sqlite: SELECT ...", in one line, cut where it is long. */
static inline void
job_describe(const job_t *job, char *text, size_t size)
{
    (void) snprintf(text, size, "sqlite: %.*s%s", WORDS, job->about,
                    strlen(job->about) > WORDS ? "..." : "");
    for (; *text != '\0'; text++) {
        if ((unsigned char) *text < ' ') {
            *text = ' ';
        }
    }
}

/* NULL with errno. */
database_t *database_create(ql_loop_t *loop, const char *path, int flags);
/* Of one statement. NULL with errno. */
query_t *query_create(database_t *db, const char *sql, size_t size);

#endif
