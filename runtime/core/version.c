/*
 * version.c: what this library was compiled as.
 */
#include "../quoll.h"

const char *
ql_version(void)
{
    return QL_VERSION;
}

int
ql_abi(void)
{
    return QL_ABI;
}
