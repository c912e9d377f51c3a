/*
 * code.c: which function of which library an address belongs to. The kernel
 * says where the file is mapped; its symbols are read where the dynamic linker
 * reads them. Nothing here allocates, locks or calls stdio.
 */
#include "code.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    CODE_LINE = 512, /* bytes of a line that are kept */
    CODE_READ = 2048 /* bytes of /proc/self/maps that are read at once */
};

/* Of the file into which an address points. */
typedef struct {
    uintptr_t base;       /* where its first byte is mapped; 0: it is not */
    char path[CODE_LINE]; /* "": none */
} code_file_t;

typedef ElfW(Ehdr) elf_file_t;
typedef ElfW(Phdr) elf_segment_t;
typedef ElfW(Dyn) elf_dynamic_t;
typedef ElfW(Sym) elf_symbol_t;

/* The symbols of a file that is mapped. */
typedef struct {
    uintptr_t bias; /* what its addresses are added to */
    const elf_symbol_t *symbols;
    const char *names;
    size_t count;
} code_symbols_t;

/* ---------------------------------------------------------- the maps ---- */

/* Hexadecimal digits at *p, which is moved behind them. */
static uintptr_t
take_hex(const char **p)
{
    static const char digits[] = "0123456789abcdef";
    uintptr_t n = 0;
    const char *digit;

    while (**p != '\0' && (digit = strchr(digits, **p)) != NULL) {
        n = n << 4 | (uintptr_t) (digit - digits);
        (*p)++;
    }
    return n;
}

/* "START-END PERMS OFFSET DEVICE INODE  PATH". true: pc is in it, and *file
 * complete. Files are mapped from their first byte upwards. */
static bool
map_line(const char *line, uintptr_t pc, code_file_t *file)
{
    uintptr_t start = take_hex(&line), end, offset;
    const char *path = strchr(line, '/');
    bool readable;

    line += *line == '-';
    end = take_hex(&line);
    line += strspn(line, " ");
    readable = *line == 'r';
    line += strcspn(line, " ");
    line += strspn(line, " ");
    offset = take_hex(&line);
    path = path != NULL ? path : strchr(line, '[');
    path = path != NULL ? path : "";
    if (strcmp(path, file->path) != 0) {
        (void) stpcpy(file->path, path);
        file->base = 0;
    }
    if (offset == 0 && readable) {
        file->base = start;
    }
    return pc >= start && pc < end;
}

/* The file that pc is in; false: none, or nobody tells. */
static bool
code_find(uintptr_t pc, code_file_t *file)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char data[CODE_READ], line[CODE_LINE];
    bool found = false;
    size_t len = 0;
    ssize_t n;

    *file = (code_file_t){.base = 0};
    while (!found && fd != -1 && (n = read(fd, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; !found && i < n; i++) {
            if (data[i] != '\n') {
                line[len] = data[i];
                len += len + 1 < sizeof(line);
                continue;
            }
            line[len] = '\0';
            len = 0;
            found = map_line(line, pc, file);
        }
    }
    if (fd != -1) {
        (void) close(fd);
    }
    return found;
}

/* Other things with a name, "[stack]", have no symbols. */
static bool
code_in_file(const code_file_t *file)
{
    return file->base != 0
        && (file->path[0] == '/' || strcmp(file->path, "[vdso]") == 0);
}

/* ------------------------------------------------------- the symbols ---- */

/* Of a hash table as GNU's: the last symbol of the last chain ends them all. */
static size_t
count_hashed(const uint32_t *hash)
{
    uint32_t nbuckets = hash[0], first = hash[1], last = 0;
    const uint32_t *buckets = hash + 4 + hash[2] * (sizeof(uintptr_t) / 4);
    const uint32_t *chains = buckets + nbuckets;

    for (uint32_t i = 0; i < nbuckets; i++) {
        last = buckets[i] > last ? buckets[i] : last;
    }
    if (last < first) {
        return 0;
    }
    while ((chains[last - first] & 1) == 0) {
        last++;
    }
    return last + 1;
}

/* The dynamic linker has added the bias in some files and not in others. */
static const void *
dynamic_address(const code_symbols_t *s, const elf_dynamic_t *d)
{
    uintptr_t p = d->d_un.d_ptr;

    return (const void *) (p < s->bias ? p + s->bias : p);
}

static void
read_dynamic(code_symbols_t *s, const elf_dynamic_t *d)
{
    for (; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_SYMTAB) {
            s->symbols = dynamic_address(s, d);
        } else if (d->d_tag == DT_STRTAB) {
            s->names = dynamic_address(s, d);
        } else if (d->d_tag == DT_HASH) {
            s->count = ((const uint32_t *) dynamic_address(s, d))[1];
        } else if (d->d_tag == DT_GNU_HASH) {
            s->count = count_hashed(dynamic_address(s, d));
        }
    }
}

/* Of the file that is mapped at base; false: it has none. */
static bool
code_symbols(uintptr_t base, code_symbols_t *s)
{
    const elf_file_t *file = (const elf_file_t *) base;
    const elf_segment_t *segment;
    const elf_segment_t *dynamic = NULL;
    bool loaded = false;

    *s = (code_symbols_t){.count = 0};
    if (memcmp(file->e_ident, ELFMAG, SELFMAG) != 0) {
        return false;
    }
    segment = (const elf_segment_t *) (base + file->e_phoff);
    for (int i = 0; i < file->e_phnum; i++, segment++) {
        if (segment->p_type == PT_DYNAMIC) {
            dynamic = segment;
        } else if (segment->p_type == PT_LOAD && !loaded) {
            s->bias = base - (segment->p_vaddr - segment->p_offset);
            loaded = true;
        }
    }
    if (dynamic != NULL && loaded) {
        read_dynamic(s, (const elf_dynamic_t *) (s->bias + dynamic->p_vaddr));
    }
    return s->symbols != NULL && s->names != NULL;
}

/* The function that the file exports at pc, or NULL. */
static const char *
code_function(uintptr_t base, uintptr_t pc)
{
    code_symbols_t s;

    if (!code_symbols(base, &s)) {
        return NULL;
    }
    for (size_t i = 0; i < s.count; i++) {
        const elf_symbol_t *symbol = &s.symbols[i];
        uintptr_t start = s.bias + symbol->st_value;

        if (symbol->st_shndx != SHN_UNDEF && pc >= start
            && pc - start < symbol->st_size)
        {
            return s.names + symbol->st_name;
        }
    }
    return NULL;
}

/* -------------------------------------------------------------- text ---- */

typedef struct {
    char *p;
    const char *end; /* of the text: the last byte is for 0 */
} code_text_t;

static void
put(code_text_t *t, const char *words)
{
    while (*words != '\0' && t->p < t->end) {
        *t->p++ = *words++;
    }
    *t->p = '\0';
}

static void
put_hex(code_text_t *t, uintptr_t n)
{
    char digits[2 * sizeof(n) + 1], *p = digits + sizeof(digits) - 1;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n != 0);
    put(t, p);
}

void
ql__code_name(const void *pc, char *text, size_t size)
{
    code_text_t t = {text, text + size - 1};
    uintptr_t address = (uintptr_t) pc;
    const char *function;
    code_file_t file;

    *text = '\0';
    if (pc == NULL || !code_find(address, &file)) {
        return;
    }
    if (!code_in_file(&file)) {
        put(&t, file.path[0] == '\0' ? "code made at run time" : file.path);
        return;
    }
    function = code_function(file.base, address);
    if (function != NULL) {
        put(&t, function);
        put(&t, " (");
    }
    put(&t, file.path);
    put(&t, "+0x");
    put_hex(&t, address - file.base);
    put(&t, function != NULL ? ")" : "");
}
