-- native.lua: the C side as LuaJIT's FFI sees it: libquoll-test.so with every
-- function of the runtime, libquoll-inject.so, and the little of libc that
-- specs need.
local ffi = require "ffi"

local native = {}

native.build = os.getenv("QUOLL_BUILD") or "build"

local libc = [[
struct pollfd { int fd; short events; short revents; };
int fork(void);
void _exit(int status);
int waitpid(int pid, int *status, int options);
int kill(int pid, int signo);
int getpid(void);
int pipe2(int fds[2], int flags);
int poll(struct pollfd *fds, unsigned long n, int timeout);
ssize_t read(int fd, void *buf, size_t size);
ssize_t write(int fd, const void *buf, size_t size);
ssize_t readlink(const char *path, char *buf, size_t size);
int close(int fd);
int dup2(int from, int to);
int fcntl(int fd, int command, ...);
int prctl(int option, ...);
long syscall(long number, ...);
int execvp(const char *file, const char *const argv[]);
int setenv(const char *name, const char *value, int replace);
char *getcwd(char *buf, size_t size);
char *strerror(int err);
int clock_gettime(clockid_t clock, struct timespec *ts);
int __lsan_do_recoverable_leak_check(void);
]]

-- busted loads this file anew for each spec file; a type is declared once.
if not pcall(ffi.typeof, "struct pollfd") then
    local path = native.build .. "/quoll_cdef.h"
    local file = assert(io.open(path), path .. ": not built; run make")
    ffi.cdef(file:read("*a"))
    file:close()
    ffi.cdef(libc)
end

native.C = ffi.load(native.build .. "/lib/libquoll-test.so")
native.inject = ffi.load(native.build .. "/lib/libquoll-inject.so")

-- The clock that timeouts are measured by, in seconds.
function native.now()
    local ts = ffi.new("struct timespec")
    ffi.C.clock_gettime(1, ts)
    return tonumber(ts.tv_sec) + tonumber(ts.tv_nsec) / 1e9
end

function native.errno()
    local err = ffi.errno()
    return ffi.string(ffi.C.strerror(err)), err
end

function native.cwd()
    local buf = ffi.new("char[4096]")
    assert(ffi.C.getcwd(buf, 4096) ~= nil)
    return ffi.string(buf)
end

-- { [fd] = what it is }, without those of which `skip(text)` is true.
function native.descriptors(skip)
    local found = {}
    local buf = ffi.new("char[256]")
    for fd = 0, 2047 do
        if ffi.C.fcntl(fd, 1) ~= -1 then
            local n = ffi.C.readlink("/proc/self/fd/" .. fd, buf, 256)
            local text = n > 0 and ffi.string(buf, n) or "?"
            if not (skip and skip(text)) then
                found[fd] = text
            end
        end
    end
    return found
end

-- The descriptors of `after` that `before` lacks, and the reverse, as text;
-- nil when there is no difference.
function native.descriptors_changed(before, after)
    local changes = {}
    for fd, text in pairs(after) do
        if not before[fd] then
            changes[#changes + 1] = ("left open: %d %s"):format(fd, text)
        end
    end
    for fd, text in pairs(before) do
        if not after[fd] then
            changes[#changes + 1] = ("closed: %d %s"):format(fd, text)
        end
    end
    return changes[1] and table.concat(changes, ", ")
end

return native
