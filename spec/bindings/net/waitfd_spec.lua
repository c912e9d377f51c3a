local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local ffi = helper.ffi
local run = tasks.run
local O_NONBLOCK, O_CLOEXEC = 0x800, 0x80000

local function pipe()
    local fds = ffi.new("int[2]")
    assert(ffi.C.pipe2(fds, O_NONBLOCK + O_CLOEXEC) == 0)
    return fds[0], fds[1]
end

-- fn(read end, write end) in a task; the pipe is closed afterwards.
local function with_pipe(fn)
    local r, w = pipe()
    local ok, err = pcall(run, function() return fn(r, w) end)
    ffi.C.close(r)
    ffi.C.close(w)
    assert(ok, err)
end

local function fill(fd)
    local chunk = ("x"):rep(65536)
    while ffi.C.write(fd, chunk, #chunk) > 0 do end
end

describe("waitfd", function()
    helper.gates()

    it("tells at once what is ready", function()
        with_pipe(function(r, w)
            assert.equal("w", quoll.waitfd(w, "w"))
            assert.equal("w", quoll.waitfd(w, "rw"))
            ffi.C.write(w, "x", 1)
            assert.equal("r", quoll.waitfd(r, "r", 0))
            assert.equal("r", quoll.waitfd(r, "rw"))
        end)
    end)

    it("waits until the descriptor is readable", function()
        with_pipe(function(r, w)
            local order = {}
            quoll.spawn(function()
                order[#order + 1] = "write"
                ffi.C.write(w, "x", 1)
            end)
            assert.equal("r", quoll.waitfd(r, "r", 5))
            order[#order + 1] = "ready"
            assert.same({ "write", "ready" }, order)
        end)
    end)

    it("waits until the descriptor is writable", function()
        with_pipe(function(r, w)
            fill(w)
            assert.same({ nil, "timeout", "TIMEOUT" },
                { quoll.waitfd(w, "w", 0) })
            quoll.spawn(function()
                local buf = ffi.new("char[65536]")
                while ffi.C.read(r, buf, 65536) > 0 do end
            end)
            assert.equal("w", quoll.waitfd(w, "w", 5))
        end)
    end)

    it("waits for both and tells which", function()
        local fds = ffi.new("int[2]")
        pcall(ffi.cdef, "int socketpair(int, int, int, int *);")
        assert.equal(0, ffi.C.socketpair(1, 1 + O_NONBLOCK, 0, fds))
        local a, b = fds[0], fds[1]
        local ok, err = pcall(run, function()
            assert.equal("w", quoll.waitfd(a, "rw", 5))
            ffi.C.write(b, "x", 1)
            assert.equal("rw", quoll.waitfd(a, "rw", 5))
            ffi.C.close(b)
            assert.equal("rw", quoll.waitfd(a, "rw", 5))
        end)
        ffi.C.close(a)
        assert(ok, err)
    end)

    it("times out; 0 tries once", function()
        with_pipe(function(r)
            local ctl = quoll.stats().loop.epoll_ctl
            assert.same({ nil, "timeout", "TIMEOUT" },
                { quoll.waitfd(r, "r", 0) })
            assert.equal(ctl, quoll.stats().loop.epoll_ctl)
            local start = quoll.now()
            assert.same({ nil, "timeout", "TIMEOUT" },
                { quoll.waitfd(r, "r", 0.01) })
            assert.is_true(quoll.now() - start >= 0.01)
        end)
    end)

    it("tells a closed descriptor", function()
        run(function()
            local r, w = pipe()
            ffi.C.close(r)
            ffi.C.close(w)
            for _, s in ipairs { 0, 1 } do
                assert.same({ nil, "bad file descriptor", "EBADF" },
                    { quoll.waitfd(r, "r", s) })
            end
        end)
    end)

    it("tells a hangup as readable", function()
        run(function()
            local r, w = pipe()
            local task = quoll.spawn(quoll.waitfd, r, "r", 5)
            tasks.settle()
            ffi.C.close(w)
            assert.equal("r", task:wait())
            ffi.C.close(r)
        end)
    end)

    it("finds a regular file always ready", function()
        local file = assert(quoll.open(helper.root .. "/LICENSE"))
        local fd
        for n, what in pairs(require("spec.support.native").descriptors()) do
            fd = what:find "/LICENSE$" and n or fd
        end
        assert.equal("rw", quoll.waitfd(fd, "rw", 1))
        file:close()
    end)

    it("may be called by several tasks for one descriptor", function()
        with_pipe(function(r, w)
            local one = quoll.spawn(quoll.waitfd, r, "r", 5)
            local two = quoll.spawn(quoll.waitfd, r, "r", 5)
            tasks.settle()
            ffi.C.write(w, "x", 1)
            assert.equal("r", one:wait())
            assert.equal("r", two:wait())
        end)
    end)

    it("works beside a connection that is in the set already", function()
        run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local conn = assert(quoll.connect(listener:address()))
            local peer = assert(listener:accept(5))
            local reader = quoll.spawn(conn.receive, conn, 2)
            tasks.settle()
            assert.same({ nil, "timeout", "TIMEOUT" },
                { quoll.waitfd(conn:getfd(), "r", 0.002) })
            local watcher = quoll.spawn(quoll.waitfd, conn:getfd(), "r", 5)
            tasks.settle()
            peer:send "a"
            assert.equal("r", watcher:wait())
            peer:send "b"
            assert.equal("ab", reader:wait())
        end)
    end)

    it("is cancelled like any other wait", function()
        with_pipe(function(r)
            local task = quoll.spawn(quoll.waitfd, r, "r")
            tasks.settle()
            assert.equal(1, quoll.stats().connections.live)
            task:cancel()
            task:wait()
            assert.equal(0, quoll.stats().connections.live)
        end)
    end)

    it("refuses bad arguments", function()
        for _, args in ipairs { { -1, "r" }, { 1.5, "r" }, { "0", "r" },
            { 0, "x" }, { 0, "" }, { 0 }, { 0, "r", -1 }, { nil, "r" } } do
            local ok, err = pcall(quoll.waitfd, args[1], args[2], args[3])
            assert.is_false(ok)
            assert.matches("bad argument '%a+' to 'waitfd'", err)
        end
    end)
end)

describe("waitfd without", function()
    local inject = [[
        local ffi = require "ffi"
        local inject = require "spec.support.scripted"
        local quoll = require "quoll"
    ]]

    local function printed(source)
        local result = helper.script(inject .. source)
        assert.equal(0, result.code, result.err)
        return result.out
    end

    it("memory or descriptors says so, and can be tried again", function()
        assert.equal("nil\tcannot allocate memory\tENOMEM\n"
            .. "nil\ttoo many open files\tEMFILE\n"
            .. "nil\ttimeout\tTIMEOUT\n0\n", (printed [[
            local file = io.popen("sleep 5")
            ffi.cdef "int fileno(void *);"
            local fd = ffi.C.fileno(file)
            quoll.run(function()
                inject.ql_inject_fail("poll", -1, 1, 1, 12)
                print(quoll.waitfd(fd, "r", 5))
                inject.ql_inject_fail("dup", fd, 1, 1, 24)
                print(quoll.waitfd(fd, "r", 5))
                print(quoll.waitfd(fd, "r", 0.001))
                print(quoll.stats().connections.live)
            end)
            os.exit(0, false)
        ]]))
    end)

    it("an answer of poll waits for the event", function()
        assert.equal("w\n", (printed [[
            quoll.run(function()
                inject.ql_inject_fail("poll", -1, 1, 1, 4)
                print(quoll.waitfd(1, "w", 5))
            end)
        ]]))
    end)
end)
