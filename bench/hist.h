/*
 * hist.h: a histogram of 64-bit values with buckets at most 1/32 wide.
 */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

enum {
    HIST_BITS = 5,
    HIST_BUCKETS = (64 - HIST_BITS + 1) << HIST_BITS
};

typedef struct {
    uint64_t count;
    uint64_t buckets[HIST_BUCKETS];
} hist_t;

static inline void
hist_add(hist_t *hist, uint64_t value)
{
    unsigned top = 63 - (unsigned) __builtin_clzll(value | 1 << HIST_BITS);
    unsigned shift = top - HIST_BITS;

    hist->buckets[((uint64_t) shift << HIST_BITS) + (value >> shift)]++;
    hist->count++;
}

/* The lower bound of the bucket that holds the quantile; 0 when empty. */
static inline double
hist_quantile(const hist_t *hist, double q)
{
    uint64_t rank = (uint64_t) (q * (double) hist->count);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (seen > rank) {
            unsigned shift = i >> HIST_BITS;

            shift = shift > 0 ? shift - 1 : 0;
            return (double) ((i - ((uint64_t) shift << HIST_BITS)) << shift);
        }
    }
    return 0;
}

#endif
