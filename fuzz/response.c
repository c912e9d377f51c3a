/*
 * response.c: what a server may answer; the first byte says whether to HEAD.
 */
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 0) {
        fuzz_message(QL_HTTP_RESPONSE, data[0] == '!', data + 1, n - 1);
    }
    return 0;
}
