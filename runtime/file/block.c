/*
 * block.c: memory that reads put their bytes into. Some blocks are kept for
 * the next read: small ones, page-aligned, are dear to make, and one used a
 * moment ago is in the processor's cache; large ones the allocator would map
 * and unmap each time, at a fault a page.
 */
#include "../core/loop.h"

#include <string.h>

enum {
    BLOCK_ALIGN = 4096,
    BLOCK_NONE = -1
};

typedef struct {
    size_t from; /* bytes: the smallest that is worth one */
    size_t size; /* bytes of each */
    uint32_t keep;
} block_class_t;

/* Two pages: a page's bytes wherever they begin, and the ends that a direct
 * read rounds to. */
static const block_class_t classes[QL__BLOCK_CLASSES] = {
    {0, 2UL * BLOCK_ALIGN, 64},
    {64 * 1024 + 1, QL__BLOCK_LARGE + 2UL * BLOCK_ALIGN, 8},
};

static int
class_of(size_t size, size_t align)
{
    int i;

    for (i = 0; i < QL__BLOCK_CLASSES && align <= BLOCK_ALIGN; i++) {
        if (size >= classes[i].from && size <= classes[i].size) {
            return i;
        }
    }
    return BLOCK_NONE;
}

/* Under AddressSanitizer none: so that a use after the end is seen. */
static bool
is_full(const ql_blocks_t *blocks, int class)
{
#ifdef __SANITIZE_ADDRESS__
    (void) blocks;
    (void) class;
    return true;
#else
    return blocks->kept == classes[class].keep;
#endif
}

char *
ql__block_take(ql_loop_t *loop, size_t size, size_t align)
{
    int class = class_of(size, align);
    ql_blocks_t *blocks;
    void *block;

    if (class == BLOCK_NONE) {
        return align > 1 ? loop->sys->memalign(align, size)
                         : ql__alloc(loop, size);
    }
    blocks = &loop->blocks[class];
    block = blocks->free;
    if (block == NULL) {
        return loop->sys->memalign(BLOCK_ALIGN, classes[class].size);
    }
    memcpy(&blocks->free, block, sizeof(blocks->free));
    blocks->kept--;
    return block;
}

void
ql__block_give(ql_loop_t *loop, char *block, size_t size, size_t align)
{
    int class = class_of(size, align);
    ql_blocks_t *blocks;

    if (class == BLOCK_NONE || is_full(&loop->blocks[class], class)) {
        ql__free(loop, block);
        return;
    }
    blocks = &loop->blocks[class];
    memcpy(block, &blocks->free, sizeof(blocks->free));
    blocks->free = block;
    blocks->kept++;
}

void
ql__blocks_done(ql_loop_t *loop)
{
    ql_blocks_t *blocks;

    for (blocks = loop->blocks; blocks < loop->blocks + QL__BLOCK_CLASSES;
         blocks++) {
        while (blocks->free != NULL) {
            void *block = blocks->free;

            memcpy(&blocks->free, block, sizeof(blocks->free));
            ql__free(loop, block);
        }
        blocks->kept = 0;
    }
}
