local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local EIO = helper.errno.EIO

local function read_file(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

-- The names of ql_sys_t's members, as the header has them.
local function members()
    local names = {}
    local header = read_file("runtime/core/sys.h")
    local struct = header:match("struct ql_sys_s {(.-)\n};")
    for name in struct:gmatch("%(%*([%w_]+)%)%(") do
        if name ~= "main" then
            names[#names + 1] = name
        end
    end
    return names
end

-- What the runtime may take from libc itself.
local everywhere = {}
for name in ([[memcpy memmove memset memcmp memchr strlen strnlen strchr strrchr
    strcmp strncmp strspn snprintf vsnprintf strftime strerror_r
    inet_ntop inet_pton pthread_mutex_init pthread_mutex_lock
    pthread_mutex_unlock pthread_mutex_destroy]]):gmatch("%S+") do
    everywhere[name] = true -- no system call, or none that fails
end
local only_in = {
    environ = "spawn.c", strchrnul = "spawn.c", -- memory
    localtime_r = "log.c", -- may read the zone's file: libc's own affair
    -- A set of signals is memory.
    sigemptyset = "send.c timer_resolution.c tick.c",
    sigaddset = "send.c tick.c",
    __libc_current_sigrtmin = "tick.c", -- a number
    sigfillset = "thread_pool.c", sigdelset = "thread_pool.c",
    -- A thread's own mask cannot fail: SIGPIPE around a write, every signal
    -- around the start of a thread.
    pthread_sigmask = "send.c thread_pool.c tick.c",
    sigtimedwait = "send.c tick.c", gettid = "tick.c",
    -- Threads, once thread_create has made them.
    pthread_cond_init = "thread_pool.c", pthread_cond_wait = "thread_pool.c",
    pthread_cond_signal = "thread_pool.c",
    pthread_cond_broadcast = "thread_pool.c",
    pthread_cond_destroy = "thread_pool.c", pthread_detach = "thread_pool.c",
    pthread_clockjoin_np = "thread_pool.c",
    pthread_self = "check.c loop.c", -- a number
    abort = "check.c", -- of a debug build
}

-- A new process, on its way to its program: no table of this one is its.
for name in ([[sigaction sigprocmask syscall setsid setpgid chdir umask close
    dup2 sysconf execve __libc_current_sigrtmax]]):gmatch("%S+") do
    only_in[name] = "exec.c"
end
only_in.sigemptyset = only_in.sigemptyset .. " exec.c"

local function allowed(name, file)
    name = name:match("^__(%w+)_chk$") or name -- as _FORTIFY_SOURCE calls it
    if everywhere[name] or name:find("^ql_") then
        return true
    end
    for _, prefix in ipairs { "__errno", "__ctype", "__asan", "__ubsan",
        "__stack_chk", "__tls", "_GLOBAL_OFFSET_TABLE_" } do
        if name:sub(1, #prefix) == prefix then
            return true
        end
    end
    return (" " .. (only_in[name] or "") .. " "):find(" " .. file .. " ", 1,
        true) ~= nil
end

-- { { file, symbol }, ... }: what the linker has to find for each source.
local function undefined()
    local list, file = {}, nil
    local pipe = io.popen("readelf -sW " .. helper.build .. "/lib/libquoll.a")
    for line in pipe:lines() do
        file = line:match("^File: .*%(([%w_]+%.c)%.o%)") or file
        local name = line:match(" UND ([%w_]+)")
        if name then
            list[#list + 1] = { file, name }
        end
    end
    pipe:close()
    return list
end

-- Calls any member with six arguments -1; what it returns, as an int.
local function call(sys, name)
    local fn = ffi.cast("int64_t (*)(int64_t, int64_t, int64_t, int64_t, "
        .. "int64_t, int64_t)", sys[name])
    local rc = fn(-1, -1, -1, -1, -1, -1)
    return tonumber(ffi.cast("int32_t", rc)), ffi.errno()
end

describe("the table of system calls", function()
    it("has every member", forked(function()
        local names = members()
        assert.equal(ffi.sizeof("ql_sys_t") / ffi.sizeof("void *"), #names)
        for _, name in ipairs(names) do
            assert(C.ql_sys_default[name] ~= nil, name)
        end
    end))

    it("is all that the runtime has of the system", function()
        local files = {}
        for _, entry in ipairs(undefined()) do
            local file, name = entry[1], entry[2]
            files[file] = true
            assert(file == "sys.c" or allowed(name, file),
                file .. " calls " .. name)
        end
        for _, file in ipairs { "sys.c", "recv.c", "thread_pool.c",
            "epoll.c" } do
            assert.is_true(files[file], file)
        end
    end)

    it("counts the bytes that there are to read", forked(function()
        local a, b = ends.pair()
        local n = ffi.new("int[1]", -1)
        ends.write(b, "12345")
        assert.equal(0, C.ql_sys_default.fionread(a, n))
        assert.equal(5, n[0])
        ends.close(a)
        ends.close(b)
    end))

    it("opens what there is", forked(function()
        local O_RDONLY = 0
        local fd = C.ql_sys_default.open("Makefile", O_RDONLY, 0)
        assert.is_true(fd >= 0)
        ends.close(fd)
        assert.equal(-1, C.ql_sys_default.open("/no/such/file", O_RDONLY, 0))
        assert.equal(helper.errno.ENOENT, ffi.errno())
    end))
end)

describe("a scripted table", function()
    local returns = { -- of a call that fails with EIO; else -1
        io_setup = -EIO, io_destroy = -EIO, io_submit = -EIO,
        io_getevents = -EIO, thread_create = EIO,
        malloc = 0, realloc = 0, memalign = 0, realpath = 0,
    }

    for _, name in ipairs(members()) do
        if name ~= "free" then -- cannot fail
            it("fails " .. name .. " once", forked(function()
                local sys = inject.ql_inject_new(nil)
                assert.equal(0, inject.ql_inject_fail(name, -1, 1, 1, EIO))
                local rc, err = call(sys, name)
                assert.same({ returns[name] or -1, EIO }, { rc, err })
                assert.equal(1, tonumber(inject.ql_inject_calls(name)))
            end))
        end
    end
end)
