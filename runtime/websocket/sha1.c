#include "sha1.h"

#include <string.h>

enum {
    BLOCK = 64
};

static uint32_t
rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* What round i adds, made of b, c, d. */
static uint32_t
mix(int i, const uint32_t v[5])
{
    static const uint32_t k[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                 0xca62c1d6};
    uint32_t b = v[1], c = v[2], d = v[3];

    switch (i / 20) {
    case 0:
        return k[0] + ((b & c) | (~b & d));
    case 2:
        return k[2] + ((b & c) | (b & d) | (c & d));
    default:
        return k[i / 20] + (b ^ c ^ d);
    }
}

static void
block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[80], v[5], t;

    for (int i = 0; i < 16; i++, p += 4) {
        w[i] = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
             | (uint32_t) p[2] << 8 | p[3];
    }
    for (int i = 16; i < 80; i++) {
        w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < 80; i++) {
        t = rol(v[0], 5) + mix(i, v) + v[4] + w[i];
        memmove(v + 1, v, 4 * sizeof(*v));
        v[0] = t;
        v[2] = rol(v[2], 30);
    }
    for (int i = 0; i < 5; i++) {
        h[i] += v[i];
    }
}

static void
put(uint8_t *to, uint64_t n, int size)
{
    while (size-- > 0) {
        to[size] = (uint8_t) n;
        n >>= 8;
    }
}

void
ql_sha1(const void *data, size_t n, uint8_t to[20])
{
    uint32_t h[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t last[2 * BLOCK] = {0};
    const uint8_t *p = data;
    size_t left = n, size;

    for (; left >= BLOCK; left -= BLOCK, p += BLOCK) {
        block(h, p);
    }
    memcpy(last, p, left);
    last[left] = 0x80;
    size = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    put(last + size - 8, (uint64_t) n * 8, 8);
    block(h, last);
    if (size > BLOCK) {
        block(h, last + BLOCK);
    }
    for (int i = 0; i < 5; i++, to += 4) {
        put(to, h[i], 4);
    }
}
