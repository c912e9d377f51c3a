-- processes.lua: for specs of runtime/process: starting and taking.
local helper = require "spec.helper"
local calls = require "spec.support.calls"
local ffi, C = helper.ffi, helper.C

local processes = {}

pcall(ffi.cdef, "int kill(int pid, int signo);")
pcall(ffi.cdef, "long read(int fd, void *buf, size_t size);")

local anchors = {}

local function strings(list)
    local array = ffi.new("char *[?]", #list + 1)
    for i, text in ipairs(list) do
        local copy = ffi.new("char[?]", #text + 1, text)
        anchors[#anchors + 1] = copy
        array[i - 1] = copy
    end
    anchors[#anchors + 1] = array
    return ffi.cast("char *const *", array)
end

-- opts: cwd, env = {}, fds = { [target] = fd }, pgroup, uid. The
-- ql_spawn_t *, or nil.
function processes.spawn(loop, argv, opts)
    opts = opts or {}
    C.ql_loop_init(loop)
    local fds, n = ffi.new("ql_spawn_fd_t[16]"), 0
    for target, fd in pairs(opts.fds or {}) do
        fds[n].target, fds[n].fd = target, fd
        n = n + 1
    end
    local o = ffi.new("ql_spawn_opts_t", { argv = strings(argv), fds = fds,
        nfds = n, uid = opts.uid or -1, gid = -1,
        umask = opts.umask or -1, pgroup = opts.pgroup and 1 or 0 })
    if opts.env then
        o.env = strings(opts.env)
    end
    if opts.cwd then
        o.cwd = opts.cwd
    end
    local spawn = C.ql_spawn_create(loop, o)
    return spawn ~= nil and spawn or nil
end

function processes.await(loop, spawn)
    calls.wait(loop, spawn.call)
    return spawn.call.rc
end

-- The process; the call is freed.
function processes.take(_, spawn)
    local p = C.ql_spawn_take(spawn)
    C.ql_call_free(spawn.call)
    return p ~= nil and p or nil
end

-- A process that runs.
function processes.start(loop, argv, opts)
    local spawn = processes.spawn(loop, argv, opts)
    assert(processes.await(loop, spawn) == C.NGX_OK)
    return assert(processes.take(loop, spawn))
end

function processes.ended(loop, p)
    helper.run_until(loop, function() return p.ended ~= C.QL_PROCESS_RUNS end)
    return p.ended, p.status
end

-- Until the loop has none any more.
function processes.none(loop)
    helper.run_until(loop, function()
        return tonumber(helper.stats(loop).processes_live) == 0
    end)
end

function processes.exists(pid)
    return ffi.C.kill(pid, 0) == 0
end

-- All of a blocking descriptor, closed afterwards.
function processes.read(fd)
    local buf, text = ffi.new("char[4096]"), {}
    while true do
        local n = tonumber(ffi.C.read(fd, buf, 4096))
        if n <= 0 then
            break
        end
        text[#text + 1] = ffi.string(buf, n)
    end
    ffi.C.close(fd)
    return table.concat(text)
end

-- What a program prints, with opts of spawn.
function processes.output(loop, argv, opts)
    opts = opts or {}
    opts.fds = opts.fds or {}
    opts.fds[1] = C.QL_SPAWN_PIPE
    local spawn = processes.spawn(loop, argv, opts)
    assert(processes.await(loop, spawn) == C.NGX_OK)
    local text = processes.read(C.ql_spawn_pipe(spawn, 1))
    C.ql_process_release(processes.take(loop, spawn), 0)
    processes.none(loop)
    return text
end

return processes
