/* rules.c: rules, counters and verdicts. */
#include "script.h"

#include <errno.h>
#include <string.h>

enum {
    RULES = 256
};

typedef enum {
    FAIL,
    RESULT,
    CUT,
    DELAY
} action_t;

typedef struct {
    int call;
    int fd;
    unsigned from;
    unsigned to;   /* 0: for ever */
    unsigned seen; /* calls that matched */
    action_t action;
    int64_t value;
} rule_t;

static const char *const names[] = {
#define INJECT_NAME(name) #name,
    INJECT_CALLS(INJECT_NAME)
#undef INJECT_NAME
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static rule_t rules[RULES];
static unsigned nrules;
static uint64_t counts[CALLS];
static uint64_t own[CALLS]; /* of counts, by owner */
static pthread_t owner;

static int
call_by_name(const char *name)
{
    for (int i = 0; i < CALLS; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static int
add_rule(const char *name, int fd, unsigned from, unsigned to, action_t action,
         int64_t value)
{
    int call = call_by_name(name);

    if (call == -1) {
        return -1;
    }
    pthread_mutex_lock(&mutex);
    bool room = nrules < RULES;
    if (room) {
        rules[nrules++] = (rule_t){call, fd, from, to, 0, action, value};
    }
    pthread_mutex_unlock(&mutex);
    return room ? 0 : -1;
}

int
ql_inject_fail(const char *call, int fd, unsigned from, unsigned to, int err)
{
    return add_rule(call, fd, from, to, FAIL, err);
}

int
ql_inject_result(const char *call, int fd, unsigned from, unsigned to,
                 int64_t value)
{
    return add_rule(call, fd, from, to, RESULT, value);
}

int
ql_inject_cut(const char *call, int fd, unsigned from, unsigned to,
              uint64_t count)
{
    return add_rule(call, fd, from, to, CUT, (int64_t) count);
}

int
ql_inject_delay(const char *call, int fd, unsigned from, unsigned to,
                uint64_t us)
{
    return add_rule(call, fd, from, to, DELAY, (int64_t) us);
}

void
ql_inject_clear(void)
{
    pthread_mutex_lock(&mutex);
    nrules = 0;
    pthread_mutex_unlock(&mutex);
}

static uint64_t
counted(const uint64_t *by, const char *call)
{
    int i = call_by_name(call);

    pthread_mutex_lock(&mutex);
    uint64_t count = i == -1 ? UINT64_MAX : by[i];
    pthread_mutex_unlock(&mutex);
    return count;
}

uint64_t
ql_inject_calls(const char *call)
{
    return counted(counts, call);
}

uint64_t
ql_inject_own_calls(const char *call)
{
    return counted(own, call);
}

void
inject__reset(void)
{
    pthread_mutex_lock(&mutex);
    nrules = 0;
    memset(counts, 0, sizeof counts);
    memset(own, 0, sizeof own);
    owner = pthread_self();
    pthread_mutex_unlock(&mutex);
}

/* Is this call, which the rule has to count, one of those it applies to? */
static bool
applies(rule_t *rule, int call, int fd)
{
    if (rule->call != call || (rule->fd != -1 && rule->fd != fd)) {
        return false;
    }
    rule->seen++;
    return rule->seen >= rule->from
        && (rule->to == 0 || rule->seen <= rule->to);
}

static void
wait_us(int64_t us)
{
    struct timespec ts = {us / 1000000, us % 1000000 * 1000};

    int rc;

    do {
        rc = nanosleep(&ts, &ts);
    } while (rc == -1 && errno == EINTR);
}

verdict_t
inject__judge(int call, int fd)
{
    verdict_t verdict = {false, 0, UINT64_MAX};
    int err = errno;
    int64_t delay = 0;

    pthread_mutex_lock(&mutex);
    counts[call]++;
    own[call] += pthread_equal(owner, pthread_self()) != 0;
    for (unsigned i = 0; i < nrules; i++) {
        rule_t *rule = &rules[i];
        if (!applies(rule, call, fd)) {
            continue;
        }
        if (rule->action == DELAY) {
            delay += rule->value;
        } else if (rule->action == CUT) {
            verdict.limit = (uint64_t) rule->value;
        } else {
            verdict.decided = true;
            verdict.result = rule->action == FAIL ? -1 : rule->value;
            err = rule->action == FAIL ? (int) rule->value : err;
        }
    }
    pthread_mutex_unlock(&mutex);

    if (delay > 0) {
        wait_us(delay);
    }
    errno = err;
    return verdict;
}
