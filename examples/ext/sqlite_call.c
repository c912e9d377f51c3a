/* sqlite_call.c: what threads do with SQLite, which blocks. */
#include "sqlite.h"

static const char *
code_name(int rc)
{
    static const char *const names[] = {
        "OK",       "ERROR",      "INTERNAL", "PERM",      "ABORT", "BUSY",
        "LOCKED",   "NOMEM",      "READONLY", "INTERRUPT", "IOERR", "CORRUPT",
        "NOTFOUND", "FULL",       "CANTOPEN", "PROTOCOL",  "EMPTY", "SCHEMA",
        "TOOBIG",   "CONSTRAINT", "MISMATCH", "MISUSE",    "NOLFS", "AUTH",
        "FORMAT",   "RANGE",      "NOTADB"};
    unsigned i = (unsigned) rc & 0xff;

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "ERROR";
}

/* What rc says; the connection is this thread's. */
static void
settle(job_t *job, sqlite3 *sqlite, int rc)
{
    sqlite3_free(job->message);
    job->message = NULL;
    job->code = NULL;
    if (rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE) {
        const char *why = rc == sqlite3_errcode(sqlite) ? sqlite3_errmsg(sqlite)
                                                        : sqlite3_errstr(rc);

        job->code = code_name(rc);
        job->message = sqlite3_mprintf("%s", job->why ? job->why : why);
    }
}

static void
database_run(ql_call_t *call)
{
    database_t *db = (database_t *) (void *) call;
    int rc = sqlite3_open_v2(db->path, &db->sqlite, db->flags, NULL);

    if (rc == SQLITE_OK) { /* which has read nothing of the file yet */
        rc = sqlite3_exec(db->sqlite, "PRAGMA schema_version", 0, 0, 0);
    }
    settle(&db->job, db->sqlite, rc);
    call->undo = 1; /* also of a failure */
}

static void
database_undo(ql_call_t *call)
{
    sqlite3_close_v2(((database_t *) (void *) call)->sqlite);
}

static void
database_release(ql_call_t *call)
{
    sqlite3_free(((job_t *) (void *) call)->message);
}

static const ql_call_type_t database_type = {.name = "sqlite open",
                                             .run = database_run,
                                             .release = database_release,
                                             .undo = database_undo};

static void
database_let_go(ql_call_t *call)
{
    if (--((database_t *) (void *) call)->refs == 0) {
        ql_call_free(call);
    }
}

database_t *
database_create(ql_loop_t *loop, const char *path, int flags)
{
    size_t size = strlen(path) + 1;
    database_t *db = ql_call_create(loop, &database_type, sizeof(*db) + size);

    if (db != NULL) {
        db->job.let_go = database_let_go;
        db->refs = 1;
        db->flags = flags;
        db->job.about = memcpy(db->path, path, size);
    }
    return db;
}

static int
query_bind(query_t *q, int i, const item_t *p, const char *name,
           const char *data)
{
    if (*name != '\0') {
        i = sqlite3_bind_parameter_index(q->statement, name);
    }
    switch (p->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(q->statement, i, p->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(q->statement, i, p->number);
    case SQLITE_TEXT:
        return sqlite3_bind_text(q->statement, i, data, (int) p->size, NULL);
    case SQLITE_BLOB:
        return sqlite3_bind_blob(q->statement, i, data, (int) p->size, NULL);
    default:
        return sqlite3_bind_null(q->statement, i);
    }
}

static int
query_prepare(query_t *q)
{
    const char *at = sqlite3_str_value(q->params), *name, *data, *tail;
    const char *end = at + sqlite3_str_length(q->params);
    sqlite3 *sqlite = q->db->sqlite;
    int rc = sqlite3_prepare_v2(sqlite, q->sql, -1, &q->statement, &tail);
    item_t item;
    int i = 0;

    if (rc == SQLITE_OK && tail[strspn(tail, "; \t\r\n")] != '\0') {
        q->job.why = "more than one statement";
        rc = SQLITE_MISUSE;
    }
    while (at < end && rc == SQLITE_OK) {
        at = item_get(at, &item, &name, &data);
        rc = query_bind(q, ++i, &item, name, data);
    }
    if (rc == SQLITE_OK && i < sqlite3_bind_parameter_count(q->statement)) {
        q->job.why = "a parameter has no value";
        rc = SQLITE_RANGE;
    }
    q->columns = sqlite3_column_count(q->statement);
    return rc;
}

static void
query_row(query_t *q)
{
    sqlite3_stmt *s = q->statement;

    for (int i = 0; i < q->columns; i++) {
        const char *name = sqlite3_column_name(s, i);
        item_t item = {sqlite3_column_type(s, i), .named = strlen(name) + 1};
        const void *data = NULL;

        item.integer = sqlite3_column_int64(s, i);
        item.number = sqlite3_column_double(s, i);
        if (item.type == SQLITE_INTEGER
            && (item.integer > 1LL << 53 || item.integer < -(1LL << 53)))
        {
            item.type = SQLITE_TEXT; /* its digits */
        }
        if (item.type == SQLITE_TEXT || item.type == SQLITE_BLOB) {
            data = sqlite3_column_blob(s, i);
            item.size = (size_t) sqlite3_column_bytes(s, i);
        }
        item_put(q->rows, &item, name, data);
    }
}

/* Asked by SQLite every now and then. */
static int
query_stops(void *data)
{
    return __atomic_load_n(&((query_t *) data)->stop, __ATOMIC_RELAXED);
}

static int
query_step(query_t *q)
{
    int rc = q->statement == NULL ? query_prepare(q) : SQLITE_OK;
    int full;

    for (int n = 0; rc == SQLITE_OK || (rc == SQLITE_ROW && n < BATCH); n++) {
        rc = sqlite3_step(q->statement);
        if (rc == SQLITE_ROW) {
            query_row(q);
        }
    }
    full = sqlite3_str_errcode(q->rows);
    return full == SQLITE_OK ? rc : full;
}

/* The mutex makes the connection this thread's, also while a query that was
 * cancelled has not stopped yet. */
static void
query_run(ql_call_t *call)
{
    query_t *q = (query_t *) (void *) call;
    sqlite3 *sqlite = q->db->sqlite;
    int rc;

    sqlite3_mutex_enter(sqlite3_db_mutex(sqlite));
    sqlite3_progress_handler(sqlite, 1000, query_stops, q);
    sqlite3_str_reset(q->rows);
    rc = query_step(q);
    settle(&q->job, sqlite, rc);
    if (rc != SQLITE_ROW) {
        sqlite3_finalize(q->statement);
        q->statement = NULL;
    }
    call->undo = q->statement != NULL;
    sqlite3_progress_handler(sqlite, 0, NULL, NULL);
    sqlite3_mutex_leave(sqlite3_db_mutex(sqlite));
}

static void
query_undo(ql_call_t *call)
{
    sqlite3_finalize(((query_t *) (void *) call)->statement);
}

static void
query_abandon(ql_call_t *call)
{
    __atomic_store_n(&((query_t *) (void *) call)->stop, 1, __ATOMIC_RELAXED);
}

static void
query_release(ql_call_t *call)
{
    query_t *q = (query_t *) (void *) call;

    sqlite3_free(sqlite3_str_finish(q->params));
    sqlite3_free(sqlite3_str_finish(q->rows));
    sqlite3_free(q->job.message);
    database_let_go(&q->db->job.call);
}

static const ql_call_type_t query_type = {.name = "sqlite query",
                                          .run = query_run,
                                          .release = query_release,
                                          .undo = query_undo,
                                          .abandon = query_abandon};

query_t *
query_create(database_t *db, const char *sql, size_t size)
{
    query_t *q = ql_call_create(db->job.call.loop, &query_type,
                                sizeof(*q) + size + 1);

    if (q != NULL) {
        q->job.let_go = ql_call_free;
        q->db = db;
        db->refs++;
        q->params = sqlite3_str_new(NULL);
        q->rows = sqlite3_str_new(NULL);
        q->job.about = memcpy(q->sql, sql, size);
    }
    return q;
}
