-- files_fuzz.lua DIRECTORY SEED [FORK]: a script for
-- spec/regress/files_fuzz_spec.lua. Tasks do at random what files and paths
-- offer, cancel each other and close each other's handles; what is read is
-- what was written there. FORK: at that step the process forks, and both go
-- on. SETTINGS (environment): of quoll.configure.
local ffi = require "ffi"
local quoll = require "quoll"
local fs = quoll.fs
local dir, seed, fork_at = arg[1], tonumber(arg[2]), tonumber(arg[3] or 0)

ffi.cdef [[
int fork(void);
int waitpid(int pid, int *status, int options);
unsigned alarm(unsigned seconds);
]]

quoll.configure(assert(loadstring("return " .. (os.getenv "SETTINGS"
    or "{}")))())

local TASKS, STEPS, HANDLES = 15, 30, 8
local LARGE = os.getenv "QUOLL_TEST_INJECT" and 20000 or 500000
local LINE = ("L"):rep(63)

local model = require "spec.support.files_model"
model.seed(seed)
local upto, pick, wrong = model.upto, model.pick, model.wrong
local piece, check, ok = model.piece, model.check, model.ok

-- fn may raise: what an iterator does when its file is closed.
local function tolerant(fn, ...)
    local good, value = pcall(fn, ...)
    if not good and quoll.iscancelled(value) then
        error(value, 0)
    end
    return good and value or nil
end

local function paths(prefix, n)
    local list = {}
    for i = 1, n do list[i] = dir .. "/" .. prefix .. i end
    return list
end

local whole, holes, log = paths("whole", 4), paths("holes", 3), dir .. "/log"
local handles, iterators, tasks = {}, {}, {}

local function size() return upto(4) == 1 and upto(LARGE) or upto(9000) end
local function handle() return #handles > 0 and pick(handles) or nil end

local function keep(list, value)
    if value then
        list[#list < HANDLES and #list + 1 or upto(HANDLES)] = value
    end
end

-- ------------------------------------------------------------- actions ----

local act = {}

function act.open()
    local is_whole = upto(2) == 1
    local mode = is_whole and pick { "r", "rd" }
        or pick { "r", "r+", "w+", "rd", "w", "r+d" }
    local file = ok("open", quoll.open(pick(is_whole and whole or holes), mode,
        { miss = pick { "thread", "direct" } }))
    if file then
        if upto(4) > 1 then file:disown() end
        keep(handles, { file = file, whole = is_whole,
            writes = mode:find "[w+]" ~= nil })
    end
end

function act.pread(h)
    local at, n = upto(LARGE) - 1, size()
    local data = ok("pread", h.file:pread(n, at))
    if data then
        check("pread", data, at, h.whole)
    end
end

function act.read(h)
    if h.used then return end
    h.used = true
    for _ = 1, upto(3) do
        local at = ok("seek", h.file:seek("cur", upto(3) - 1))
        local data = at and ok("read", h.file:read(pick { size(), "*a" }))
        if data then check("read", data, at, h.whole) end
    end
    h.used = false
end

function act.write(h)
    if h.used or not h.writes then return end
    h.used = true
    local at = ok("seek", h.file:seek("set", upto(LARGE)))
    if at then
        ok("write", h.file:write(piece(at, 99), { piece(at + 99, size()) }))
    end
    h.used = false
end

function act.pwrite(h)
    local at = upto(LARGE)
    if h.writes then ok("pwrite", h.file:pwrite(piece(at, size()), at)) end
end

function act.truncate(h)
    if h.writes then ok("truncate", h.file:truncate(upto(LARGE))) end
end

function act.sync(h) ok("sync", h.file:sync { data = upto(2) == 1 }) end
function act.fstat(h) ok("stat", h.file:stat()) end
function act.close(h) ok("close", h.file:close()) end

function act.chunks(h)
    local chunks = tolerant(h.file.chunks, h.file, pick { 777, 65536, LARGE })
    keep(iterators, chunks)
    local data = chunks and tolerant(chunks)
    local at = data and #data > 99 and model.where(data:sub(1, 99))
    while at and data do
        check("chunks", data, at, h.whole)
        at = at + #data
        data = tolerant(chunks)
    end
end

function act.sendfile()
    local file = ok("open", quoll.open(pick(whole), pick { "r", "rd" }))
    local listener = quoll.listen "127.0.0.1:0"
    local client = file and quoll.connect(listener:address(), { timeout = 1 })
    local server = client and listener:accept(1)
    if server then
        local at, got = size(), 0
        server:settimeout(upto(20) / 100)
        client:settimeout(upto(20) / 100)
        local sender = quoll.spawn(function()
            ok("sendfile", server:sendfile(file, at, size()))
            server:close()
        end)
        repeat
            local data, _, partial = client:receiveany(20000)
            data = data or partial
            check("sendfile", data, at + got, true)
            got = got + #data
            if upto(30) == 1 then pick { file, server }:close() end
        until data == "" or upto(20) == 1
        sender:cancel()
    end
    listener:close()
end

function act.append()
    ok("append", fs.append(log, (LINE .. "\n"):rep(upto(60))))
end

function act.lines()
    local file = ok("open", quoll.open(log))
    tolerant(function()
        for line in file:lines() do
            if line ~= LINE then wrong("line", #line) end
        end
    end)
end

function act.writefile()
    ok("writefile", fs.writefile(pick(whole), piece(0, size()),
        { sync = upto(4) == 1 }))
end

function act.readfile()
    local data = ok("readfile", fs.readfile(pick(whole)))
    if data then check("readfile", data, 0, true) end
end

function act.paths()
    ok("stat", fs.stat(pick(whole)))
    ok("copyfile", fs.copyfile(pick(whole), pick(whole)))
    ok("rename", fs.rename(pick(whole), pick(whole)))
    ok("unlink", fs.unlink(pick(pick { whole, holes })))
    ok("mkdir", fs.mkdir(dir .. "/folder/below", { parents = true }))
    ok("rmdir", fs.rmdir(dir .. "/folder/below"))
end

function act.readdir()
    local entries = ok("readdir", fs.readdir(dir))
    keep(iterators, entries)
    for _ = 1, entries and upto(30) or 0 do tolerant(entries) end
end

function act.tempfile()
    local file = ok("tempfile", fs.tempfile { dir = dir, unlinked = true })
    if file then
        local n = size()
        ok("write", file:write(piece(0, n)))
        check("tempfile", ok("pread", file:pread(n, 0)) or "", 0, true)
    end
end

function act.watch()
    local watch = ok("watch", fs.watch(dir, { recursive = upto(2) == 1 }))
    keep(iterators, watch)
    for _ = 1, watch and 3 or 0 do ok("next", watch:next(0.002)) end
end

function act.end_iterator()
    if #iterators > 0 then pick(iterators):close() end
end

function act.drop()
    if #handles > 3 then table.remove(handles, upto(#handles)) end
    collectgarbage "step"
end

function act.rest() quoll.sleep(upto(2000) / 1e6) end
function act.cancel() if tasks[1] then pick(tasks):cancel() end end

-- ----------------------------------------------------------- the tasks ----

if fork_at > 0 then
    act.sendfile = nil -- both would send over the same sockets
end
local names, steps, is_child = {}, 0, false
for name in pairs(act) do names[#names + 1] = name end
table.sort(names) -- the same in each run
local needs = { pread = true, read = true, write = true, pwrite = true,
    truncate = true, sync = true, fstat = true, close = true, chunks = true }

local function fork()
    local pid, status = ffi.C.fork(), ffi.new "int[1]"
    if pid == 0 then
        is_child = true
        ffi.C.alarm(30)
        return
    end
    while ffi.C.waitpid(pid, status, 0) == -1 do end -- luacheck: ignore
    if status[0] ~= 0 then wrong("child", status[0]) end
end

local function work(n)
    for _ = 1, n do
        steps = steps + 1
        if steps == fork_at then fork() end
        local name = pick(names)
        local h = needs[name] and handle()
        if h then act[name](h) end
        if not needs[name] then act[name]() end
        if upto(10) == 1 then
            keep(tasks, quoll.spawn(work, upto(5)):detach())
        end
    end
end

quoll.run(function()
    for _, path in ipairs(whole) do
        assert(fs.writefile(path, piece(0, size()), { sync = false }))
    end
    local workers = {}
    for i = 1, TASKS do workers[i] = quoll.spawn(work, STEPS) end
    for _, worker in ipairs(workers) do worker:wait() end
    for _, task in ipairs(tasks) do task:cancel() end
end)

-- --------------------------------------------------- nothing is left over ----

handles, iterators, tasks = {}, {}, {}
local function left()
    local s = quoll.stats()
    local files, pool = s.files, s.pool
    return s.tasks.live + s.connections.live + s.loop.timers + s.loop.posted
        + s.aio.in_flight + files.queued + files.reads + pool.pending
        + pool.calls + files.orphans
        + math.max(0, files.live - s.open_cache.entries) -- some say ENOENT
end
local deadline = quoll.now() + 10
repeat
    quoll.run()
    collectgarbage()
    collectgarbage()
    quoll.sleep(0.001)
until left() == 0 or quoll.now() > deadline
local temporary = 0
for name in fs.readdir(dir) do
    if name:find "^%." and not is_child then -- its parent is at work still
        temporary = temporary + 1
    end
end
print(left(), quoll.stats().alerts, temporary)
