/*
 * chunked.c: chunked bodies, behind a head that is always the same.
 */
#include "message.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t size = sizeof(head) - 1;
    uint8_t *text = malloc(size + n);

    FUZZ_ASSERT(text != NULL);
    memcpy(text, head, size);
    memcpy(text + size, data, n);
    fuzz_message(QL_HTTP_REQUEST, false, text, size + n);
    free(text);
    return 0;
}
