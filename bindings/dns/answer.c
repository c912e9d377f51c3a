/*
 * answer.c: a name server's message, as a table of its records. Nothing in it
 * is trusted: what does not fit is refused as a whole.
 */
#include "dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <string.h>

typedef struct {
    const unsigned char *data; /* the message */
    const unsigned char *p;    /* what comes next */
    const unsigned char *end;
    lua_State *L;
} reader_t;

typedef struct {
    int type;
    int class;
    uint32_t ttl;              /* s */
    const unsigned char *data; /* its own part */
    const unsigned char *end;
} record_t;

static const struct {
    const char *name;
    int type;
} types[] = {
    {"A", ns_t_a},     {"AAAA", ns_t_aaaa}, {"CNAME", ns_t_cname},
    {"MX", ns_t_mx},   {"NS", ns_t_ns},     {"PTR", ns_t_ptr},
    {"SOA", ns_t_soa}, {"SRV", ns_t_srv},   {"TXT", ns_t_txt},
};

enum {
    TYPES = sizeof(types) / sizeof(types[0])
};

int
ql__dns_check_type(lua_State *L, int arg)
{
    const char *name = luaL_checkstring(L, arg);
    int i;

    for (i = 0; i < TYPES; i++) {
        if (strcmp(name, types[i].name) == 0) {
            return types[i].type;
        }
    }
    return luaL_argerror(L, arg, "no such type");
}

void
ql__dns_push_type(lua_State *L, int type)
{
    int i;

    for (i = 0; i < TYPES; i++) {
        if (types[i].type == type) {
            lua_pushstring(L, types[i].name);
            return;
        }
    }
    lua_pushinteger(L, type);
}

/* ------------------------------------------------------------- reading ---- */

static bool
has(const reader_t *r, size_t n)
{
    return (size_t) (r->end - r->p) >= n;
}

static unsigned
number16(reader_t *r)
{
    unsigned n = (unsigned) (r->p[0] << 8 | r->p[1]);

    r->p += 2;
    return n;
}

static uint32_t
number32(reader_t *r)
{
    uint32_t high = number16(r);

    return high << 16 | number16(r);
}

/* Pushes the name that comes next; false: it is none, nothing is pushed. The
 * string is c-ares' until it is Lua's: a raise for lack of memory loses it. */
static bool
push_name(reader_t *r)
{
    char *name;
    long length;

    if (!has(r, 1)
        || ares_expand_name(r->p, r->data, (int) (r->end - r->data), &name,
                            &length)
               != ARES_SUCCESS)
    {
        return false;
    }
    r->p += length;
    lua_pushstring(r->L, name);
    ares_free_string(name);
    return true;
}

static bool
read_record(reader_t *r, record_t *record)
{
    size_t size;

    if (!has(r, 10)) {
        return false;
    }
    record->type = (int) number16(r);
    record->class = (int) number16(r);
    record->ttl = number32(r);
    if (record->ttl > INT32_MAX) {
        record->ttl = 0; /* RFC 2181, 8 */
    }
    size = number16(r);
    if (!has(r, size)) {
        return false;
    }
    record->data = r->p;
    record->end = r->p += size;
    return true;
}

/* -------------------------------------------------- a record's own part ---- */

/* Each sets fields of the table on top of the stack. */

static void
set_number(reader_t *r, const char *field, lua_Number value)
{
    lua_pushnumber(r->L, value);
    lua_setfield(r->L, -2, field);
}

static bool
set_name(reader_t *r, const char *field)
{
    if (!push_name(r)) {
        return false;
    }
    lua_setfield(r->L, -2, field);
    return true;
}

static bool
set_address(reader_t *r, int family, size_t size)
{
    char text[INET6_ADDRSTRLEN];

    if (!has(r, size) || inet_ntop(family, r->p, text, sizeof(text)) == NULL) {
        return false;
    }
    r->p += size;
    lua_pushstring(r->L, text);
    lua_setfield(r->L, -2, "address");
    return true;
}

static bool
set_numbers(reader_t *r, const char *const *fields)
{
    for (; *fields != NULL; fields++) {
        if (!has(r, 2)) {
            return false;
        }
        set_number(r, *fields, number16(r));
    }
    return true;
}

/* Strings of at most 255 bytes each, which make up one text. */
static bool
set_text(reader_t *r)
{
    luaL_Buffer text;

    luaL_buffinit(r->L, &text);
    while (has(r, 1)) {
        size_t size = *r->p++;

        if (!has(r, size)) {
            luaL_pushresult(&text);
            lua_pop(r->L, 1);
            return false;
        }
        luaL_addlstring(&text, (const char *) r->p, size);
        r->p += size;
    }
    luaL_pushresult(&text);
    lua_setfield(r->L, -2, "text");
    return true;
}

static bool
set_soa(reader_t *r)
{
    static const char *const fields[] = {"serial", "refresh", "retry",
                                         "expire", "minimum", NULL};
    const char *const *field;

    if (!set_name(r, "host") || !set_name(r, "mailbox") || !has(r, 20)) {
        return false;
    }
    for (field = fields; *field != NULL; field++) {
        set_number(r, *field, number32(r));
    }
    return true;
}

static bool
set_data(reader_t *r, int type)
{
    static const char *const mx[] = {"priority", NULL};
    static const char *const srv[] = {"priority", "weight", "port", NULL};

    switch (type) {
    case ns_t_a:
        return set_address(r, AF_INET, NS_INADDRSZ);
    case ns_t_aaaa:
        return set_address(r, AF_INET6, NS_IN6ADDRSZ);
    case ns_t_cname:
    case ns_t_ns:
    case ns_t_ptr:
        return set_name(r, "host");
    case ns_t_mx:
        return set_numbers(r, mx) && set_name(r, "host");
    case ns_t_srv:
        return set_numbers(r, srv) && set_name(r, "host");
    case ns_t_txt:
        return set_text(r);
    case ns_t_soa:
        return set_soa(r);
    default:
        r->p = r->end;
        return true;
    }
}

/* ------------------------------------------------------------- message ---- */

/* Names in a record may point anywhere into the message before its end. */
static bool
push_record(reader_t *r)
{
    record_t record;
    reader_t own = *r;

    lua_createtable(r->L, 0, 4);
    if (!set_name(r, "name") || !read_record(r, &record)) {
        return false;
    }
    ql__dns_push_type(r->L, record.type);
    lua_setfield(r->L, -2, "type");
    set_number(r, "ttl", record.ttl);
    if (record.class != ns_c_in) {
        return true;
    }
    own.p = record.data;
    own.end = record.end;
    return set_data(&own, record.type) && own.p == own.end;
}

static bool
skip_questions(reader_t *r, unsigned n)
{
    for (; n > 0; n--) {
        if (!push_name(r)) {
            return false;
        }
        lua_pop(r->L, 1);
        if (!has(r, 4)) {
            return false;
        }
        r->p += 4;
    }
    return true;
}

/* Into the table on top of the stack. */
static bool
push_records(reader_t *r, unsigned n)
{
    unsigned i;

    for (i = 1; i <= n; i++) {
        if (!push_record(r)) {
            return false;
        }
        lua_rawseti(r->L, -2, (int) i);
    }
    return true;
}

static bool
push_message(reader_t *r)
{
    unsigned questions, answers, authorities;

    if (!has(r, NS_HFIXEDSZ)) {
        return false;
    }
    r->p += 4;
    questions = number16(r);
    answers = number16(r);
    authorities = number16(r);
    r->p += 2;
    lua_newtable(r->L);
    if (!skip_questions(r, questions) || !push_records(r, answers)) {
        return false;
    }
    lua_newtable(r->L);
    if (!push_records(r, authorities)) {
        return false;
    }
    lua_setfield(r->L, -2, "authority");
    return true;
}

int
ql__dns_parse(lua_State *L)
{
    size_t size;
    const char *data = luaL_checklstring(L, 1, &size);
    reader_t r = {.L = L};

    r.data = r.p = (const unsigned char *) data;
    r.end = r.p + size;
    if (!push_message(&r)) {
        lua_pushnil(L);
    }
    return 1;
}
