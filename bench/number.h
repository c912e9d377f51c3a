/*
 * number.h: a number of a command line; the program ends when it is none.
 */
#ifndef BENCH_NUMBER_H
#define BENCH_NUMBER_H

#include <err.h>
#include <stdlib.h>

static inline double
number(const char *text, double min, double max)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= min && value <= max)) {
        errx(2, "%s: must be a number from %g to %g", text, min, max);
    }
    return value;
}

#endif
