/*
 * conf.c: the settings, one line each.
 */
#include "loop.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    size_t offset;
    uint32_t min;
    uint32_t max;
    uint32_t value; /* the default */
} ql_setting_t;

static const ql_setting_t settings[] = {
    {"epoll_events", offsetof(ql_conf_t, epoll.events), 1, 65536, 512},
    {"worker_aio_requests", offsetof(ql_conf_t, epoll.aio_requests), 1, 65536,
     256},
    {"worker_connections", offsetof(ql_conf_t, worker_connections), 1, 16777216,
     1048576},
    {"timer_resolution", offsetof(ql_conf_t, timer_resolution), 0, 60000, 0},
    {"multi_accept", offsetof(ql_conf_t, multi_accept), 1, 65536, 64},
    {"accept_queue", offsetof(ql_conf_t, accept_queue), 1, 65536, 128},
    {"accept_delay", offsetof(ql_conf_t, accept_delay), 1, 60000, 500},
    {"level_triggered", offsetof(ql_conf_t, level_triggered), 0, 1, 0},
    {"threads", offsetof(ql_conf_t, threads), 1, 1024, 4},
    {"thread_queue", offsetof(ql_conf_t, thread_queue), 1, 16777216, 65536},
    {"aio_queue", offsetof(ql_conf_t, aio_queue), 1, 16777216, 65536},
    {"overflow_error", offsetof(ql_conf_t, overflow_error), 0, 1, 0},
    {"drain", offsetof(ql_conf_t, drain), 0, 3600000, 1000},
    {"keepalive", offsetof(ql_conf_t, keepalive), 0, 1048576, 1024},
    {"open_file_cache", offsetof(ql_conf_t, open_file_cache), 0, 1048576, 0},
    {"open_file_cache_valid", offsetof(ql_conf_t, open_file_cache_valid), 0,
     31536000, 60},
    {"open_file_cache_inactive", offsetof(ql_conf_t, open_file_cache_inactive),
     1, 31536000, 60},
    {"open_file_cache_min_uses", offsetof(ql_conf_t, open_file_cache_min_uses),
     1, 1000000, 1},
    {"open_file_cache_errors", offsetof(ql_conf_t, open_file_cache_errors), 0,
     1, 0},
};

enum {
    SETTINGS = sizeof(settings) / sizeof(settings[0])
};

static uint32_t *
field(ql_conf_t *conf, const ql_setting_t *s)
{
    return (uint32_t *) (void *) ((char *) conf + s->offset);
}

static const ql_setting_t *
find(const char *name)
{
    size_t i;

    for (i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static void
set_default(uint32_t *value, uint32_t otherwise)
{
    if (*value == QL_CONF_UNSET) {
        *value = otherwise;
    }
}

void
ql_epoll_create_conf(ql_epoll_conf_t *conf)
{
    conf->events = QL_CONF_UNSET;
    conf->aio_requests = QL_CONF_UNSET;
}

void
ql_epoll_init_conf(ql_epoll_conf_t *conf)
{
    set_default(&conf->events, find("epoll_events")->value);
    set_default(&conf->aio_requests, find("worker_aio_requests")->value);
}

void
ql_conf_create(ql_conf_t *conf)
{
    size_t i;

    for (i = 0; i < SETTINGS; i++) {
        *field(conf, &settings[i]) = QL_CONF_UNSET;
    }
}

void
ql_conf_init(ql_conf_t *conf)
{
    size_t i;

    for (i = 0; i < SETTINGS; i++) {
        set_default(field(conf, &settings[i]), settings[i].value);
    }
}

int
ql_conf_describe(const char *name, char *err, size_t size)
{
    const ql_setting_t *s = find(name);

    if (s == NULL) {
        (void) snprintf(err, size, "no setting is called \"%s\"", name);
        return NGX_DECLINED;
    }
    (void) snprintf(err, size, "%s must be a whole number from %u to %u", name,
                    s->min, s->max);
    return NGX_OK;
}

int
ql_conf_set(ql_conf_t *conf, const char *name, double value, char *err,
            size_t size)
{
    const ql_setting_t *s = find(name);

    if (s == NULL) {
        return ql_conf_describe(name, err, size);
    }
    /* Written so that NaN is refused. */
    if (!(value >= s->min && value <= s->max)
        || value != (double) (uint32_t) value) {
        (void) ql_conf_describe(name, err, size);
        return NGX_ERROR;
    }
    *field(conf, s) = (uint32_t) value;
    return NGX_OK;
}

int
ql_conf_flag(const char *name)
{
    const ql_setting_t *s = find(name);

    return s != NULL && s->min == 0 && s->max == 1;
}

int
ql_conf_live(const char *name)
{
    static const char live[] = "open_file_cache";

    return strncmp(name, live, sizeof(live) - 1) == 0
        || strcmp(name, "keepalive") == 0;
}

const char *
ql_conf_get(const ql_conf_t *conf, unsigned i, uint32_t *value)
{
    if (i >= SETTINGS) {
        return NULL;
    }
    memcpy(value, (const char *) conf + settings[i].offset, sizeof(*value));
    return settings[i].name;
}
