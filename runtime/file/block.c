/*
 * block.c: memory that reads put their bytes into. Small blocks are kept for
 * the next read: page-aligned ones are dear to make, and one used a moment ago
 * is in the processor's cache.
 */
#include "../core/loop.h"

#include <string.h>

enum {
    BLOCK_ALIGN = 4096,
    BLOCK_SIZE = 2 * BLOCK_ALIGN, /* a page, wherever it begins */
#ifdef __SANITIZE_ADDRESS__
    BLOCKS_KEPT = 0 /* so that a use after the end is seen */
#else
    BLOCKS_KEPT = 64
#endif
};

static bool
is_small(size_t size, size_t align)
{
    return size <= BLOCK_SIZE && align <= BLOCK_ALIGN;
}

char *
ql__block_take(ql_loop_t *loop, size_t size, size_t align)
{
    ql_blocks_t *blocks = &loop->blocks;
    void *block = blocks->free;

    if (!is_small(size, align)) {
        return align > 1 ? loop->sys->memalign(align, size)
                         : ql__alloc(loop, size);
    }
    if (block == NULL) {
        return loop->sys->memalign(BLOCK_ALIGN, BLOCK_SIZE);
    }
    memcpy(&blocks->free, block, sizeof(blocks->free));
    blocks->kept--;
    return block;
}

void
ql__block_give(ql_loop_t *loop, char *block, size_t size, size_t align)
{
    ql_blocks_t *blocks = &loop->blocks;

    if (!is_small(size, align) || blocks->kept == BLOCKS_KEPT) {
        ql__free(loop, block);
        return;
    }
    memcpy(block, &blocks->free, sizeof(blocks->free));
    blocks->free = block;
    blocks->kept++;
}

void
ql__blocks_done(ql_loop_t *loop)
{
    ql_blocks_t *blocks = &loop->blocks;

    while (blocks->free != NULL) {
        void *block = blocks->free;

        memcpy(&blocks->free, block, sizeof(blocks->free));
        ql__free(loop, block);
    }
    blocks->kept = 0;
}
