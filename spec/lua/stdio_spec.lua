local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

local LUA = os.getenv "QUOLL_LUA" or "luajit"

pcall(ffi.cdef, [[int openpty(int *master, int *slave, char *name,
    const void *termios, const void *winsize);]])

local prelude = [[
    package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
    package.cpath = "]] .. helper.build .. [[/lib/lua/5.1/?.so;"
        .. package.cpath
    local quoll = require "quoll"
]]

local function in_task(fn)
    return function() tasks.run(fn, 10) end
end

-- out, err, ok of a script with these descriptors.
local function run(source, opts)
    return quoll.process.run({ LUA, "-e", prelude .. source }, opts)
end

-- fn(master, slave): the terminal's two ends; the slave is a descriptor.
local function with_terminal(fn)
    local fds = ffi.new("int[2]")
    assert(ffi.C.openpty(fds, fds + 1, nil, nil, nil) == 0)
    local master = assert(quoll.adopt(fds[0]))
    master:settimeout(pair.PATIENCE)
    fn(master, fds[1])
    ffi.C.close(fds[1])
    master:close()
end

local function nonblocking(fd)
    pcall(ffi.cdef, "int fcntl(int fd, int command, ...);")
    return bit.band(ffi.C.fcntl(fd, 3), 0x800) ~= 0
end

describe("quoll.stdin, stdout and stderr", function()
    helper.gates()

    it("are connections of pipes", in_task(function()
        local out, err = run([[
            for line in quoll.stdin:lines() do
                quoll.stdout:send { line:upper(), "\n" }
            end
            quoll.stderr:send "end\n"
        ]], { input = "one\ntwo\n" })
        assert.equal("ONE\nTWO\n", out)
        assert.equal("end\n", err)
    end))

    it("move more than a pipe holds", in_task(function()
        local data = ("0123456789abcdef"):rep(pair.MIB / 4)
        local out = run([[
            quoll.stdout:send(quoll.stdin:receive "*a")
        ]], { input = data })
        assert.is_true(out == data)
    end))

    it("does not speak TLS, which would block", in_task(function()
        local client, server = pair.connect()
        local out, problem = run([[
            local _, err, code = quoll.stdin:starttls { verify = false }
            print(err, code)
        ]], { stdin = server })
        assert.equal("operation not supported\tEOPNOTSUPP\n", out .. problem)
        client:close()
    end))

    it("may be regular files and /dev/null", in_task(function()
        local from, to = tasks.file "text\n", os.tmpname()
        local input, output = io.open(from), io.open(to, "w")
        local _, err, ok = run([[
            quoll.stdout:send(quoll.stdin:receive "*a")
            io.write "by io\n"
            io.flush()
            quoll.stdout:send(("x"):rep(100000))
        ]], { stdin = input, stdout = output })
        assert.is_true(ok, err)
        input:close()
        output:close()
        assert.equal("text\nby io\n" .. ("x"):rep(100000),
            quoll.fs.readfile(to))
        os.remove(from)
        os.remove(to)
        assert.same({ "", "", true, "exit", 0 }, { run([[
            assert(quoll.stdin:receive "*a" == "")
            assert(quoll.stdout:send "x" == 1)
        ]], { stdout = "null" }) })
    end))

    it("may be sockets", in_task(function()
        local client, server = pair.connect()
        local p = assert(quoll.process.exec({ LUA, "-e", prelude .. [[
            quoll.stdout:send { quoll.stdin:receive "*l", "!\n" }
        ]] }, { stdin = server, stdout = "pipe" }))
        client:send "hi\n"
        assert.equal("hi!", p.stdout:receive "*l")
        assert.is_true(p:wait(pair.PATIENCE))
    end))

    it("leave the terminal blocking, for who shares it", in_task(function()
        with_terminal(function(master, slave)
            local p = assert(quoll.process.exec({ LUA, "-e", prelude .. [[
                quoll.run(function()
                    quoll.spawn(function()
                        quoll.stdout:send("ready\n")
                    end)
                    quoll.stdout:send { quoll.stdin:receive "*l", "\n" }
                    io.write(io.read "*l", "\n")
                    quoll.stdout:send(quoll.stdin:receive "*a")
                end)
            ]] }, { stdin = slave, stdout = slave, stderr = slave,
                setsid = true }))
            assert.equal("ready", master:receive "*l")
            assert.is_false(nonblocking(slave))
            master:send "by quoll\n"
            assert.equal("by quoll", master:receive "*l") -- the echo
            assert.equal("by quoll", master:receive "*l")
            master:send "by io\n"
            assert.equal("by io", master:receive "*l")
            assert.equal("by io", master:receive "*l")
            master:send "last\4\4"
            assert.is_true(p:wait(pair.PATIENCE))
        end)
    end))

    it("that are closed are said to be, and the loop goes on", in_task(
        function()
            local path = os.tmpname()
            local source = prelude .. [[
                quoll.run(function()
                    quoll.sleep(0)
                    local said = {}
                    for _, name in ipairs { "stdin", "stdout", "stderr" } do
                        local _, err = pcall(function()
                            return quoll[name]
                        end)
                        said[#said + 1] = tostring(err)
                    end
                    quoll.sleep(0)
                    quoll.fs.writefile(os.getenv "TO",
                        table.concat(said, "\n"))
                end)
            ]]
            local p = assert(quoll.process.exec(
                'exec "$LUA" -e "$SOURCE" <&- >&- 2>&-', { shell = true,
                setenv = { LUA = LUA, SOURCE = source, TO = path } }))
            assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
            assert.same({ "stdin: bad file descriptor",
                "stdout: bad file descriptor", "stderr: bad file descriptor" },
                { quoll.fs.readfile(path):match
                    "(std.-)\n.-(std.-)\n.-(std.*)" })
            os.remove(path)
        end))

    it("make a terminal program: examples/talk.lua", in_task(function()
        local listener = assert(quoll.listen "127.0.0.1:0")
        with_terminal(function(master, slave)
            local p = assert(quoll.process.exec({ LUA, "examples/talk.lua",
                listener:address() }, { stdin = slave, stdout = slave,
                stderr = slave, setsid = true, setenv = {
                    LUA_PATH = "lua/?.lua;lua/?/init.lua;;",
                    LUA_CPATH = helper.build .. "/lib/lua/5.1/?.so;;" } }))
            local server = assert(listener:accept(pair.PATIENCE))
            server:settimeout(pair.PATIENCE)
            assert.equal("connected to " .. listener:address(),
                master:receive "*l")
            server:send "hello\n"
            assert.equal("hello", master:receive "*l")
            master:send "typed\n"
            assert.equal("typed", server:receive "*l")
            assert.equal("typed", master:receive "*l")
            master:send "\4"
            assert.equal("bye", master:receive "*l")
            assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
        end)
        listener:close()
    end))
end)
