/*
 * code.c: which function of which library an address belongs to. The kernel
 * says where the file is mapped; its symbols are read where the dynamic linker
 * reads them, but by system calls: whatever a mapped file says of itself, and
 * also where it has been cut short since, a read fails and no signal comes.
 * Nothing here allocates, locks or calls stdio.
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
    CODE_LINE = 512,     /* bytes of a line that are kept */
    CODE_READ = 2048,    /* bytes of /proc/self/maps that are read at once */
    CODE_FUNCTION = 256, /* bytes of a function's name that are kept */
    CODE_BATCH = 64,     /* symbols that are read at once */
    CODE_MOST = 1 << 20  /* symbols of a file; one with more is damaged */
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
    int memory;        /* descriptor of the process's own */
    uintptr_t bias;    /* what its addresses are added to */
    uintptr_t symbols; /* where they begin; 0: nowhere */
    uintptr_t names;   /* likewise */
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

/* false: not all of that is mapped, or there is nothing behind it. */
static bool
peek(int memory, uintptr_t at, void *to, size_t size)
{
    return pread(memory, to, size, (off_t) at) == (ssize_t) size;
}

static size_t
batch(size_t left)
{
    return left < CODE_BATCH ? left : CODE_BATCH;
}

/* Of a hash table as GNU's: the last symbol of the last chain ends them all.
 * 0: it cannot be read. */
static size_t
count_hashed(int memory, uintptr_t hash)
{
    struct {
        uint32_t buckets, first, words, shift;
    } head;
    uint32_t found[CODE_BATCH], last = 0;
    size_t n;

    if (!peek(memory, hash, &head, sizeof(head)) || head.buckets > CODE_MOST) {
        return 0;
    }
    hash += sizeof(head) + head.words * sizeof(uintptr_t);
    for (uint32_t i = 0; i < head.buckets; i += (uint32_t) n) {
        n = batch(head.buckets - i);
        if (!peek(memory, hash, found, n * sizeof(found[0]))) {
            return 0;
        }
        hash += n * sizeof(found[0]);
        for (size_t k = 0; k < n; k++) {
            last = found[k] > last ? found[k] : last;
        }
    }
    if (last < head.first) {
        return 0;
    }
    for (hash += (last - head.first) * sizeof(found[0]); last < CODE_MOST;
         hash += sizeof(found[0]))
    {
        last++;
        if (!peek(memory, hash, found, sizeof(found[0]))) {
            return 0;
        }
        if ((found[0] & 1) != 0) {
            break;
        }
    }
    return last;
}

/* Of a hash table of the older kind, which says it. */
static size_t
count_told(int memory, uintptr_t hash)
{
    uint32_t head[2];

    return peek(memory, hash, head, sizeof(head)) && head[1] <= CODE_MOST
             ? head[1]
             : 0;
}

/* The dynamic linker has added the bias in some files and not in others. */
static uintptr_t
dynamic_address(const code_symbols_t *s, const elf_dynamic_t *d)
{
    uintptr_t p = d->d_un.d_ptr;

    return p < s->bias ? p + s->bias : p;
}

static void
read_dynamic(code_symbols_t *s, uintptr_t at, size_t size)
{
    elf_dynamic_t d;

    for (; size >= sizeof(d) && peek(s->memory, at, &d, sizeof(d))
           && d.d_tag != DT_NULL;
         at += sizeof(d), size -= sizeof(d))
    {
        if (d.d_tag == DT_SYMTAB) {
            s->symbols = dynamic_address(s, &d);
        } else if (d.d_tag == DT_STRTAB) {
            s->names = dynamic_address(s, &d);
        } else if (d.d_tag == DT_HASH) {
            s->count = count_told(s->memory, dynamic_address(s, &d));
        } else if (d.d_tag == DT_GNU_HASH) {
            s->count = count_hashed(s->memory, dynamic_address(s, &d));
        }
    }
}

/* Of the file that is mapped at base; false: it has none. */
static bool
code_symbols(uintptr_t base, code_symbols_t *s)
{
    elf_segment_t segment, dynamic = {.p_memsz = 0};
    bool loaded = false;
    elf_file_t file;

    if (!peek(s->memory, base, &file, sizeof(file))
        || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0)
    {
        return false;
    }
    for (int i = 0; i < file.e_phnum; i++) {
        if (!peek(s->memory, base + file.e_phoff + (size_t) i * sizeof(segment),
                  &segment, sizeof(segment)))
        {
            return false;
        }
        if (segment.p_type == PT_DYNAMIC) {
            dynamic = segment;
        } else if (segment.p_type == PT_LOAD && !loaded) {
            s->bias = base - (segment.p_vaddr - segment.p_offset);
            loaded = true;
        }
    }
    if (loaded) {
        read_dynamic(s, s->bias + dynamic.p_vaddr, dynamic.p_memsz);
    }
    return s->symbols != 0 && s->names != 0;
}

/* Where the name of the function stands that covers pc; 0: none does. */
static uintptr_t
find_symbol(const code_symbols_t *s, uintptr_t pc)
{
    elf_symbol_t found[CODE_BATCH];
    size_t n;

    for (size_t i = 0; i < s->count; i += n) {
        n = batch(s->count - i);
        if (!peek(s->memory, s->symbols + i * sizeof(found[0]), found,
                  n * sizeof(found[0])))
        {
            return 0;
        }
        for (size_t k = 0; k < n; k++) {
            uintptr_t start = s->bias + found[k].st_value;

            if (found[k].st_shndx != SHN_UNDEF && pc >= start
                && pc - start < found[k].st_size)
            {
                return s->names + found[k].st_name;
            }
        }
    }
    return 0;
}

/* The function that the file exports at pc into name; "": none. */
static void
code_function(uintptr_t base, uintptr_t pc, char name[CODE_FUNCTION])
{
    code_symbols_t s = {.memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)};
    ssize_t n = 0;
    uintptr_t at;

    if (s.memory == -1) {
        *name = '\0';
        return;
    }
    at = code_symbols(base, &s) ? find_symbol(&s, pc) : 0;
    if (at != 0) {
        n = pread(s.memory, name, CODE_FUNCTION - 1, (off_t) at);
    }
    name[n > 0 ? n : 0] = '\0';
    (void) close(s.memory);
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
    char function[CODE_FUNCTION];
    code_file_t file;

    *text = '\0';
    if (pc == NULL || !code_find(address, &file)) {
        return;
    }
    if (!code_in_file(&file)) {
        put(&t, file.path[0] == '\0' ? "code made at run time" : file.path);
        return;
    }
    code_function(file.base, address, function);
    if (*function != '\0') {
        put(&t, function);
        put(&t, " (");
    }
    put(&t, file.path);
    put(&t, "+0x");
    put_hex(&t, address - file.base);
    put(&t, *function != '\0' ? ")" : "");
}
