#include "utf8.h"

#include <string.h>

/* The first byte at or behind p that is not ASCII, or end. */
static const unsigned char *
skip_ascii(const unsigned char *p, const unsigned char *end)
{
    uint64_t words[4];

    while ((size_t) (end - p) >= sizeof(words)) {
        memcpy(words, p, sizeof(words));
        if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u)
            != 0) {
            break;
        }
        p += sizeof(words);
    }
    while (p < end && *p < 0x80) {
        p++;
    }
    return p;
}

/* A character begins with c, which is not ASCII. */
static bool
begin(ql_utf8_t *u, unsigned char c)
{
    u->low = 0x80;
    u->high = 0xbf;
    if (c < 0xc2 || c > 0xf4) {
        return false;
    }
    u->need = (uint8_t) (1 + (c >= 0xe0) + (c >= 0xf0));
    switch (c) {
    case 0xe0:
        u->low = 0xa0;
        break;
    case 0xed:
        u->high = 0x9f;
        break;
    case 0xf0:
        u->low = 0x90;
        break;
    case 0xf4:
        u->high = 0x8f;
        break;
    }
    return true;
}

bool
ql_utf8(ql_utf8_t *u, const void *data, size_t n)
{
    const unsigned char *p = data, *end = p + n;

    while (p < end) {
        if (u->need == 0) {
            p = skip_ascii(p, end);
            if (p < end && !begin(u, *p++)) {
                return false;
            }
            continue;
        }
        if (*p < u->low || *p > u->high) {
            return false;
        }
        p++;
        u->need--;
        u->low = 0x80;
        u->high = 0xbf;
    }
    return true;
}
