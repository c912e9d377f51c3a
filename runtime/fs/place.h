/*
 * place.h: openat2, which keeps a path below a root and says when it would
 * wait.
 */
#ifndef QUOLL_PLACE_H
#define QUOLL_PLACE_H

#include "../core/loop.h"

#include <linux/openat2.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12; an older one says EINVAL */
#endif

enum {
    QL__BENEATH = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
};

/* openat2; resolve 0: open(2), which every system has, and dir AT_FDCWD. Tries
 * again after EINTR and, unless RESOLVE_CACHED, when a ".." met a rename. */
int ql__open_at(const ql_sys_t *sys, int dir, const char *path,
                const struct open_how *how);
/* An open below a root failed: the words where err's own mislead, or NULL. */
const char *ql__root_error(int err);

#endif
