local helper = require "spec.helper"
local files = require "spec.support.tasks"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"
local exec, run = quoll.process.exec, quoll.process.run
local ffi = helper.ffi

local function in_task(fn)
    return function() files.run(fn) end
end

describe("bindings/process/exec", function()
    helper.gates()

    it("makes connections of the pipes", in_task(function()
        local p = assert(exec({ "cat" }, { stdin = "pipe", stdout = "pipe" }))
        p.stdout:settimeout(pair.PATIENCE)
        assert.is_nil(p.stderr)
        assert.equal(2, p.stdin:send "x\n")
        assert.equal("x", p.stdout:receive "*l")
        p.stdin:close()
        assert.equal("", p.stdout:receive "*a")
        assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
    end))

    it("merges stderr into stdout", in_task(function()
        local out, err = run("echo a; echo b >&2; echo c",
            { shell = true, stderr = "stdout" })
        assert.equal("a\nb\nc\n", out)
        assert.equal("", err)
    end))

    it("takes files, from where they are read", in_task(function()
        local path = files.file "one\ntwo\nthree\n"
        local input = assert(quoll.open(path))
        assert.equal("one", input:read "*l")
        assert.equal("two\nthree\n", run({ "cat" }, { stdin = input }))
        input:close()
        local output = assert(io.open(path, "w"))
        output:write "buffered\n"
        assert.equal("", run({ "echo", "new" }, { stdout = output }))
        output:close()
        assert.equal("buffered\nnew\n", quoll.fs.readfile(path))
        os.remove(path)
    end))

    it("takes a connection, which is closed here and blocks there",
        in_task(function()
            local client, server = pair.connect()
            local p = assert(exec({ "cat" }, { stdin = server,
                stdout = "pipe" }))
            assert.same({ nil, "closed", "", "CLOSED" },
                { server:receive(1) })
            client:send "by the socket"
            client:shutdown "send"
            assert.equal("by the socket", p.stdout:receive "*a")
            assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
        end))

    it("refuses what is closed or busy", in_task(function()
        local client, server = pair.connect()
        local reader = quoll.spawn(server.receive, server, 1)
        quoll.yield()
        assert.same({ nil, "descriptor 0 cannot be given to a process: it is "
            .. "closed or busy", "EBADF" }, { exec({ "cat" },
            { stdin = server }) })
        client:send "x"
        reader:wait(pair.PATIENCE)
        client:close()
        assert.equal("EBADF", (select(3, exec({ "cat" }, { stdin = client }))))
        assert.equal("EBADF",
            (select(3, exec({ "cat" }, { stdin = reader }))))
        assert.equal("EBADF", (select(3, exec({ "cat" }, { stdin = 12345 }))))
    end))

    it("refuses a connection of which it would not get all", in_task(
        function()
            local client, server = pair.connect()
            pair.deliver(client, server, "one\ntwo\n")
            assert.equal("one", server:receive())
            local word = "descriptor 0 cannot be given to a process: "
            assert.same({ nil, word .. "bytes that it has received are not "
                .. "read", "EBADF" }, { exec({ "cat" }, { stdin = server }) })
            assert.equal("two", server:receive())
            client, server = tls.connect()
            assert.same({ nil, word .. "it has TLS on it, or keeps "
                .. "descriptors", "EBADF" },
                { exec({ "cat" }, { stdin = server }) })
            assert(client:send "hello")
            assert.equal("hello", server:receive(5))
        end))

    it("passes further descriptors", in_task(function()
        local path = files.file "by 5"
        local file = assert(quoll.open(path))
        assert.equal("by 5", run("cat <&5", { shell = true,
            fds = { [5] = file } }))
        os.remove(path)
    end))

    it("kills what a cancelled task has started", in_task(function()
        local started = quoll.stats().processes.started
        local task = quoll.spawn(exec, { "sleep", "100" })
        quoll.yield()
        task:cancel()
        task:wait(pair.PATIENCE)
        assert.is_true(quoll.stats().processes.started <= started + 1)
    end))

    it("does not hold the loop up", in_task(function()
        local fds = ffi.new("int[2]")
        assert(ffi.C.pipe2(fds, 0x80000) == 0)
        local fifo = os.tmpname()
        os.remove(fifo)
        assert(os.execute("mkfifo " .. fifo) == 0)
        -- the shell waits in open(2) of the fifo
        local p = assert(exec("exec cat <" .. fifo,
            { shell = true, stdout = "pipe" }))
        assert.same({ nil, "timeout", "TIMEOUT" }, { p:wait(0.01) })
        run("echo x >" .. fifo, { shell = true })
        assert.equal("x\n", p.stdout:receive "*a")
        os.remove(fifo)
        ffi.C.close(fds[0])
        ffi.C.close(fds[1])
    end))
end)
