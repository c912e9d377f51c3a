/*
 * log.c: one entry per event, limited per format string.
 */
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE = 2048,
    PREFIX_SIZE = 64,
    BYTE_SIZE = 4,    /* as which one is written at most */
    ERRNO_SIZE = 160, /* " (24: Too many open files)" */
    LINES_PER_SECOND = 10
};

static const char *const level_names[] = {
    [QL_LOG_EMERG] = "emerg", [QL_LOG_ALERT] = "alert",
    [QL_LOG_CRIT] = "crit",   [QL_LOG_ERR] = "error",
    [QL_LOG_WARN] = "warn",   [QL_LOG_NOTICE] = "notice",
    [QL_LOG_INFO] = "info",   [QL_LOG_DEBUG] = "debug",
};

static const char *const debug_names[] = {"event", "posted", "timer", "accept",
                                          "net",   "aio",    "pool",  "task"};

void
ql__log_init(ql_log_t *log)
{
    memset(log, 0, sizeof(*log));
    log->level = QL_LOG_NOTICE;
}

/* A log that cannot be written is no reason to stop serving. */
static void
write_all(const ql_sys_t *sys, const char *p, size_t size)
{
    ssize_t n;

    while (size > 0) {
        n = sys->write(STDERR_FILENO, p, size);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        p += n;
        size -= (size_t) n;
    }
}

/* One byte of text, which may be any: an entry's further lines begin with a tab,
 * so that none can be taken for an entry. Returns how many were put. */
static size_t
put_byte(char *to, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char) *text;

    if (c == '\n' && text[1] != '\t') {
        memcpy(to, "\n\t", 2);
        return 2;
    }
    if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
        memcpy(to, "\\x", 2);
        to[2] = digits[c >> 4];
        to[3] = digits[c & 15];
        return BYTE_SIZE;
    }
    *to = *text;
    return 1;
}

static void
write_stderr(ql_loop_t *loop, int level, const char *text)
{
    char line[PREFIX_SIZE + LINE_SIZE];
    struct timespec ts;
    size_t used;
    struct tm tm;

    (void) loop->sys->clock_gettime(CLOCK_REALTIME, &ts);
    (void) localtime_r(&ts.tv_sec, &tm);
    used = strftime(line, PREFIX_SIZE, "%Y/%m/%d %H:%M:%S ", &tm);
    used += (size_t) snprintf(line + used, PREFIX_SIZE - used,
                              "[%s] %ld: ", level_names[level],
                              (long) loop->sys->getpid());
    for (; *text != '\0'; text++) {
        if (used + BYTE_SIZE >= sizeof(line)) {
            write_all(loop->sys, line, used);
            used = 0;
        }
        used += put_byte(line + used, text);
    }
    line[used++] = '\n';
    write_all(loop->sys, line, used);
}

static void
emit(ql_loop_t *loop, int level, const char *text)
{
    int saved = errno;

    if (loop->log.writer != NULL) {
        loop->log.writer(loop->log.data, level, text);
    } else {
        write_stderr(loop, level, text);
    }
    errno = saved;
}

static void
tell_dropped(ql_loop_t *loop, ql_log_site_t *site)
{
    char text[LINE_SIZE];

    if (site->dropped == 0) {
        return;
    }
    (void) snprintf(text, sizeof(text), "%u more lines like \"%s\"",
                    site->dropped, site->fmt);
    site->dropped = 0;
    emit(loop, site->level, text);
}

void
ql__log_flush(ql_loop_t *loop, bool all)
{
    uint64_t now = ql__clock(loop) / 1000000;
    bool left = false;
    ql_log_site_t *site;
    int i;

    for (i = 0; i < QL__LOG_SITES; i++) {
        site = &loop->log.sites[i];
        if (all || now - site->since >= QL__LOG_PERIOD) {
            tell_dropped(loop, site);
        }
        left = left || site->dropped != 0;
    }
    loop->log.dropping = left;
}

/* The site of fmt, else the one that began its second first. */
static ql_log_site_t *
find_site(ql_log_t *log, const char *fmt)
{
    ql_log_site_t *oldest = &log->sites[0];
    int i;

    for (i = 0; i < QL__LOG_SITES; i++) {
        if (log->sites[i].fmt == fmt) {
            return &log->sites[i];
        }
        if (log->sites[i].since < oldest->since) {
            oldest = &log->sites[i];
        }
    }
    return oldest;
}

static bool
limited(ql_loop_t *loop, int level, const char *fmt)
{
    ql_log_site_t *site = find_site(&loop->log, fmt);
    uint64_t now = ql__clock(loop) / 1000000;

    if (site->fmt != fmt || now - site->since >= QL__LOG_PERIOD) {
        tell_dropped(loop, site);
        *site = (ql_log_site_t){.fmt = fmt, .since = now};
    }
    if (site->lines < LINES_PER_SECOND) {
        site->lines++;
        return false;
    }
    site->dropped++;
    site->level = level;
    loop->log.dropping = true;
    return true;
}

static void
append_errno(char *text, size_t size, int err)
{
    char buf[128];
    size_t used = strlen(text);

    (void) snprintf(text + used, size - used, " (%d: %s)", err,
                    strerror_r(err, buf, sizeof(buf)));
}

void
ql_log_error(ql_loop_t *loop, int level, int err, const char *fmt, ...)
{
    char text[LINE_SIZE];
    int saved = errno;
    va_list args;

    QL_CHECK_THREAD(loop);
    loop->log.counts[level]++;
    if (level > loop->log.level
        || (level <= QL_LOG_WARN && limited(loop, level, fmt)))
    {
        return;
    }
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text) - ERRNO_SIZE, fmt, args);
    va_end(args);
    if (err != 0) {
        append_errno(text, sizeof(text), err);
    }
    emit(loop, level, text);
    errno = saved;
}

void
ql_log_text(ql_loop_t *loop, int level, const char *text)
{
    QL_CHECK_THREAD(loop);
    loop->log.counts[level]++;
    if (level <= loop->log.level) {
        emit(loop, level, text);
    }
}

void
ql__log_debug(ql_loop_t *loop, const char *fmt, ...)
{
    char text[LINE_SIZE];
    int saved = errno;
    va_list args;

    loop->log.counts[QL_LOG_DEBUG]++;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    emit(loop, QL_LOG_DEBUG, text);
    errno = saved;
}

void
ql_log_set_level(ql_loop_t *loop, int level)
{
    QL_CHECK_THREAD(loop);
    loop->log.level = level;
}

int
ql_log_level(const ql_loop_t *loop)
{
    QL_CHECK_THREAD(loop);
    return loop->log.level;
}

void
ql_log_set_debug(ql_loop_t *loop, unsigned categories)
{
    QL_CHECK_THREAD(loop);
    loop->log.debug = categories;
}

void
ql_log_set_writer(ql_loop_t *loop, ql_log_writer_pt writer, void *data)
{
    QL_CHECK_THREAD(loop);
    loop->log.writer = writer;
    loop->log.data = data;
}

uint64_t
ql_log_count(const ql_loop_t *loop, int level)
{
    QL_CHECK_THREAD(loop);
    if (level < QL_LOG_EMERG || level > QL_LOG_DEBUG) {
        return 0;
    }
    return loop->log.counts[level];
}

int
ql_log_level_by_name(const char *name)
{
    int level;

    for (level = QL_LOG_EMERG; level <= QL_LOG_DEBUG; level++) {
        if (strcmp(level_names[level], name) == 0) {
            return level;
        }
    }
    return strcmp(name, "err") == 0 ? QL_LOG_ERR : 0;
}

unsigned
ql_log_debug_by_name(const char *name)
{
    unsigned i;

    for (i = 0; i < sizeof(debug_names) / sizeof(debug_names[0]); i++) {
        if (strcmp(debug_names[i], name) == 0) {
            return 1u << i;
        }
    }
    return 0;
}
