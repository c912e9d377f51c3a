-- files.lua: for specs of runtime/file: files with known bytes, the kernel's
-- own pread to compare with, cold caches, file systems of our own.
local helper = require "spec.helper"
local ffi, C, inject = helper.ffi, helper.C, helper.inject

local files = { RWF_NOWAIT = 8, KIB = 1024, MIB = 1024 * 1024 }

local DONTNEED, CLONE_NEWNS, MS_REC_PRIVATE = 4, 0x20000, 0x44000
local MNT_DETACH = 2
local O_RDWR, O_CREAT = 2, 0x40

if not pcall(ffi.typeof, "struct spec_files") then
    ffi.cdef [[
    struct spec_files { int declared; };
    ssize_t pread(int fd, void *buf, size_t size, off_t offset);
    ssize_t pwrite(int fd, const void *buf, size_t size, off_t offset);
    int ftruncate(int fd, off_t size);
    int fdatasync(int fd);
    int posix_fadvise(int fd, off_t offset, off_t size, int advice);
    int unshare(int flags);
    int mount(const char *from, const char *to, const char *type,
              unsigned long flags, const void *data);
    int mkdir(const char *path, unsigned mode);
    int mkfifo(const char *path, unsigned mode);
    int umount2(const char *path, int flags);
    ]]
end
pcall(ffi.cdef, "int open(const char *path, int flags, ...);")
pcall(ffi.cdef, "int unlink(const char *path);")

local function ok(rc)
    if rc == -1 then
        error(ffi.string(ffi.C.strerror(ffi.errno())), 3)
    end
    return rc
end

local known = "" -- the bytes of the longest file so far

-- size bytes that tell where they stand.
function files.bytes(size)
    if #known < size then
        local parts = { known }
        for i = #known / 16 + 1, math.ceil(size / 16) do
            parts[#parts + 1] = ("%015x\n"):format(i * 2654435761 % 2 ^ 52)
        end
        known = table.concat(parts)
    end
    return known:sub(1, size)
end

-- A new file with these bytes, in dir (/tmp); its path.
function files.make(data, dir)
    local path = dir and ("%s/file-%d"):format(dir, math.random(1e9))
        or os.tmpname()
    local out = assert(io.open(path, "wb"))
    out:write(data or "")
    out:close()
    files.evict(path)
    return path
end

-- fn(fd) with the file open for writing.
function files.with(path, fn)
    local fd = ok(ffi.C.open(path, O_RDWR + O_CREAT, ffi.cast("int", 420)))
    fn(fd)
    ffi.C.close(fd)
end

function files.truncate(path, size)
    files.with(path, function(fd) ok(ffi.C.ftruncate(fd, size)) end)
end

function files.write(path, data, offset)
    files.with(path, function(fd)
        assert(ffi.C.pwrite(fd, data, #data, offset) == #data)
    end)
end

local function shell(format, path)
    local pipe = assert(io.popen(format:format(path)))
    local out = pipe:read("*a")
    pipe:close()
    return out
end

-- The loop knows the device of path, as one of this type: its own if nil.
function files.known(loop, path, type)
    local dev = tonumber(shell("stat -c %%d %s", path))
    type = type or tonumber(shell("stat -f -c %%t %s", path), 16)
    C.ql__device(loop, ffi.cast("uint64_t", dev) + type * 0x100000000ULL)
end

-- Takes it out of the page cache.
function files.evict(path)
    files.with(path, function(fd)
        ffi.C.fdatasync(fd)
        ffi.C.posix_fadvise(fd, 0, 0, DONTNEED)
    end)
end

-- Puts it there.
function files.warm(path)
    local file = assert(io.open(path, "rb"))
    file:read("*a")
    file:close()
end

function files.open(loop, path, direct)
    local file = C.ql_file_open(loop, path, direct and C.QL_FILE_DIRECT or 0)
    assert(file ~= nil, "ql_file_open failed")
    return file
end

local O_APPEND = 0x400

-- Open for reading and writing; append: writes go to its end.
function files.writable(loop, path, append)
    local file = files.open(loop, path)
    ffi.C.close(file.fd)
    file.fd = ok(ffi.C.open(path, O_RDWR + (append and O_APPEND or 0)))
    file.append = append and 1 or 0
    return file
end

-- What a ql_call_t comes to: NGX_OK or NGX_ERROR.
function files.await(loop, call)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_call_attempt(call)
        return rc ~= C.NGX_AGAIN
    end)
    return rc
end

-- A loop with injected calls and an open file of so many blocks of 4 KiB:
-- loop, file, path, data.
function files.counted(direct, blocks, settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    local data = files.bytes((blocks or 4) * 4096)
    local path = files.make(data)
    return loop, files.open(loop, path, direct), path, data
end

function files.close(file, path)
    C.ql_file_close(file)
    os.remove(path)
end

-- A read to its end: text, or nil and errno.
function files.finish(loop, r)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_read_attempt(r)
        return rc ~= C.NGX_AGAIN
    end)
    local text, err
    if rc == C.NGX_OK then
        text = ffi.string(r.data, r.nbytes)
    else
        err = r.err
    end
    C.ql_read_free(r)
    return text, err
end

function files.read(loop, file, size, offset)
    local r = C.ql_read_create(file, size, offset or 0)
    assert(r ~= nil, "ql_read_create failed")
    return files.finish(loop, r)
end

function files.stat(loop, name)
    return tonumber(helper.stats(loop)[name])
end

-- { [reason] = count }, of all devices.
function files.fallbacks(loop)
    local found, f, i = {}, ffi.new("ql_fallback_t"), 0
    while C.ql_fallback(loop, i, f) == C.NGX_OK do
        local reason = ffi.string(f.reason)
        found[reason] = (found[reason] or 0) + tonumber(f.count)
        i = i + 1
    end
    return found
end

-- A mount namespace of this process's own; for a forked test.
local function private()
    return ffi.C.unshare(CLONE_NEWNS) == 0
        and ffi.C.mount("none", "/", nil, MS_REC_PRIVATE, nil) == 0
end

local function new_directory()
    local dir = os.tmpname()
    os.remove(dir)
    ok(ffi.C.mkdir(dir, 448))
    return dir
end

-- fn(dir) with a tmpfs there; for a forked test.
function files.on_tmpfs(fn)
    assert(private())
    local dir = new_directory()
    ok(ffi.C.mount("none", dir, "tmpfs", 0, nil))
    fn(dir)
    ok(ffi.C.umount2(dir, MNT_DETACH))
    os.execute("rm -r " .. dir)
end

-- fn(dir) with an overlay there over a directory that holds one file, "below",
-- with data.
function files.on_overlay(data, fn)
    assert(private())
    local dir = new_directory()
    for _, name in ipairs { "/lower", "/upper", "/work", "/all" } do
        ok(ffi.C.mkdir(dir .. name, 448))
    end
    files.write(dir .. "/lower/below", data, 0)
    files.evict(dir .. "/lower/below")
    ok(ffi.C.mount("none", dir .. "/all", "overlay", 0,
        ("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work")
        :format(dir, dir, dir)))
    fn(dir .. "/all")
    ok(ffi.C.umount2(dir .. "/all", MNT_DETACH))
    os.execute("rm -r " .. dir)
end

-- `it`, or `pending` where file systems may not be mounted.
function files.mounting(it, pending)
    local may = pcall(helper.forked(function()
        files.on_tmpfs(function() end)
    end))
    return may and it or function(name)
        pending(name .. " (this machine may not mount)")
    end
end

-- A read through the bridge alone of `size` aligned bytes at offset, begun:
-- its ql_event_aio_t with `buf` beside it.
function files.aio(file, size, offset, handler)
    assert(C.ql__file_direct(file) >= 0)
    local memory = ffi.new("char[?]", size + 4096)
    local base = ffi.cast("uintptr_t", memory)
    local read = {
        memory = memory, aio = ffi.new("ql_event_aio_t"), file = file,
        size = size, offset = offset,
        buf = ffi.cast("char *", (base + 4095) / 4096 * 4096),
    }
    read.aio.handler = handler or inject.ql_probe
    read.rc = files.again(read)
    return read
end

-- Call again: the code, which is the count of bytes when it is complete.
function files.again(read)
    return tonumber(C.ql_file_aio_read(read.file, read.aio, read.buf,
        read.size, read.offset))
end

-- Waits for it: text, or nil and errno.
function files.result(loop, read)
    helper.run_until(loop, function() return read.aio.event.active == 0 end)
    local n = files.again(read)
    if n < 0 then
        return nil, read.aio.err
    end
    return ffi.string(read.buf, n)
end

function files.calls(name)
    return tonumber(inject.ql_inject_calls(name))
end

-- Of these, made by the loop's thread.
function files.own_calls(name)
    return tonumber(inject.ql_inject_own_calls(name))
end

return files
