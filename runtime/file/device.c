/*
 * device.c: what file systems turned out not to do, and what that cost. Hints:
 * they spare new files a system call that will fail; the file itself has the
 * last word.
 */
#include "../core/loop.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/sysmacros.h>

static const char *const reasons[QL__FALLBACKS] = {
    "nowait unsupported", "direct unsupported",
    "dirty pages",        "unaligned",
    "aio refused",        "no descriptor",
    "slow misses",        "write nowait unsupported",
    "sync refused",       "sync queue full",
    "sendfile failed",
};

/* Its counts outlive it. */
static void
make_room(ql_loop_t *loop, const ql_device_t *d)
{
    int i;

    for (i = 0; i < QL__FALLBACKS; i++) {
        loop->other_devices.fallbacks[i] += d->fallbacks[i];
    }
}

static uint32_t
known_devices(const ql_loop_t *loop)
{
    return loop->ndevices < QL__DEVICES ? loop->ndevices : QL__DEVICES;
}

ql_device_t *
ql__device(ql_loop_t *loop, uint64_t dev)
{
    ql_device_t *d;
    uint32_t known = known_devices(loop);

    for (d = loop->devices; d < loop->devices + known; d++) {
        if (d->dev == dev) {
            return d;
        }
    }
    d = &loop->devices[loop->ndevices++ % QL__DEVICES];
    make_room(loop, d);
    *d = (ql_device_t){.dev = dev};
    return d;
}

bool
ql__local_type(uint32_t type)
{
    switch (type) {
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

static uint32_t
type_of(const ql_device_t *d)
{
    return (uint32_t) (d->dev >> 32);
}

uint32_t
ql__device_type(const ql_loop_t *loop, uint64_t st_dev)
{
    uint32_t known = known_devices(loop);
    const ql_device_t *d;
    uint32_t type = 0;

    for (d = loop->devices; d < loop->devices + known; d++) {
        if ((uint32_t) d->dev != st_dev || type_of(d) == 0) {
            continue;
        }
        type = type_of(d);
        if (!ql__local_type(type)) {
            break;
        }
    }
    return type;
}

void
ql__fallback(ql_file_t *file, int reason)
{
    ql__device(file->loop, file->dev)->fallbacks[reason]++;
}

/* NULL: one that has no name here. */
static const char *
type_name(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } names[] = {
        {EXT4_SUPER_MAGIC, "ext4"},   {XFS_SUPER_MAGIC, "xfs"},
        {BTRFS_SUPER_MAGIC, "btrfs"}, {OVERLAYFS_SUPER_MAGIC, "overlay"},
        {NFS_SUPER_MAGIC, "nfs"},     {F2FS_SUPER_MAGIC, "f2fs"},
        {FUSE_SUPER_MAGIC, "fuse"},   {TMPFS_MAGIC, "tmpfs"},
        {V9FS_MAGIC, "9p"},           {PROC_SUPER_MAGIC, "proc"},
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return NULL;
}

static void
name_device(const ql_loop_t *loop, const ql_device_t *d, char *buf, size_t size)
{
    uint32_t type = type_of(d);
    dev_t dev = (uint32_t) d->dev;
    const char *name = type_name(type);

    if (d == &loop->other_devices) {
        (void) snprintf(buf, size, "others");
    } else if (name != NULL) {
        (void) snprintf(buf, size, "%s %u:%u", name, major(dev), minor(dev));
    } else {
        (void) snprintf(buf, size, "%#x %u:%u", type, major(dev), minor(dev));
    }
}

int
ql_fallback(const ql_loop_t *loop, unsigned i, ql_fallback_t *fallback)
{
    uint32_t known = known_devices(loop);
    const ql_device_t *d;
    uint32_t k;
    int reason;

    QL_CHECK_THREAD(loop);
    for (k = 0; k <= known; k++) {
        d = k < known ? &loop->devices[k] : &loop->other_devices;
        for (reason = 0; reason < QL__FALLBACKS; reason++) {
            if (d->fallbacks[reason] == 0 || i-- > 0) {
                continue;
            }
            name_device(loop, d, fallback->device, sizeof(fallback->device));
            fallback->reason = reasons[reason];
            fallback->count = d->fallbacks[reason];
            return NGX_OK;
        }
    }
    return NGX_DECLINED;
}
