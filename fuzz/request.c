/*
 * request.c: what a client may send: requests, one behind the other.
 */
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_message(QL_HTTP_REQUEST, false, data, n);
    return 0;
}
