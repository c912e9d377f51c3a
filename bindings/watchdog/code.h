/*
 * code.h: the names of code.
 */
#ifndef QUOLL_CODE_H
#define QUOLL_CODE_H

#include <stddef.h>

enum {
    QL_CODE_NAME = 512 /* bytes that are enough for most */
};

/*
 * "usleep (/usr/lib/libc.so.6+0xd4f3a)" into text, the function left out where
 * the file exports none there; "code made at run time" of what is in no file;
 * "" when nothing is known of it. For a signal handler: it makes system calls
 * alone and needs 4 KiB of stack; dladdr(3) takes a lock and may wait for ever.
 */
void ql__code_name(const void *pc, char *text, size_t size);

#endif
