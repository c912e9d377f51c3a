local helper = require "spec.helper"
local files = require "spec.support.files"

local SIZE = 300000
local data = files.bytes(SIZE)

local head = [[
    local inject = require "spec.support.scripted"
    local pair = require "spec.support.pair"
    local quoll = require "quoll"
    local path = arg[1]
    local text = io.open(path):read "*a"

    local function calls(name)
        return tonumber(inject.ql_inject_calls(name))
    end

    -- What sendfile returned, and what came out at the other end.
    local function transfer(mode)
        local client, server = pair.connect()
        local results
        local task = quoll.spawn(function()
            results = { server:sendfile(quoll.open(path, mode)) }
            server:close()
        end)
        local got = select(3, client:receive(#text + 1))
        task:wait()
        client:close()
        return got, unpack(results, 1, 4)
    end
]]

-- What a script prints whose loop has scripted system calls.
local function printed(source)
    local path = files.make(data)
    local result = helper.script(head .. source, { path })
    os.remove(path)
    assert.equal(0, result.code, result.err)
    return (result.out:gsub(path:gsub("%p", "%%%0"), "PATH"))
end

describe("sendfile without sendfile(2)", function()
    for _, name in ipairs { "EINVAL", "ENOSYS" } do
        it("reads and sends: " .. name, function()
            local out = printed(([[
                inject.ql_inject_fail("sendfile", -1, 1, 0, %d)
                quoll.run(function()
                    local got, sent = transfer "r"
                    print(got == text, sent == #text)
                end)
                print(quoll.stats().files.sendfiles)
            ]]):format(helper.errno[name]))
            assert.equal("true\ttrue\n0\n", out)
        end)
    end

    it("is not called for what has not been proven to be cached",
        function()
            local out = printed [[
                inject.ql_inject_fail("preadv2", -1, 1, 0, 11)
                quoll.run(function()
                    local got, sent = transfer "r"
                    print(got == text, sent == #text)
                end)
                print(calls "sendfile", quoll.stats().files.pool > 0)
            ]]
            assert.equal("true\ttrue\n0\ttrue\n", out)
        end)

    it("turns to it and back", function()
        local out = printed [[
            for i = 3, 60, 7 do
                inject.ql_inject_fail("preadv2", -1, i, i + 1, 11)
            end
            quoll.run(function()
                for _ = 1, 5 do
                    local got, sent = transfer "r"
                    print(got == text, sent == #text)
                end
            end)
            print(calls "sendfile" > 0, calls "send" > 0)
        ]]
        assert.equal(("true\ttrue\n"):rep(6), out)
    end)
end)

describe("a transfer of a cold file", function()
    it("holds nobody up", function()
        local out = printed [[
            inject.ql_inject_fail("preadv2", -1, 1, 0, 11)
            inject.ql_inject_delay("pread", -1, 1, 0, 300000)
            quoll.run(function()
                local slow = quoll.spawn(transfer, "r")
                while calls "pread" == 0 do
                    quoll.sleep(0.001)
                end
                local client, server = pair.connect()
                local echo = quoll.spawn(function()
                    for _ = 1, 100 do
                        server:send(server:receive(4))
                    end
                end)
                for _ = 1, 100 do
                    client:send "ping"
                    assert(client:receive(4) == "ping")
                end
                echo:wait()
                print(slow:status())
                local got, sent = slow:wait()
                print(got == text, sent == #text)
            end)
        ]]
        assert.equal("waiting\ntrue\ttrue\n", out)
    end)

    it("that cannot be read says so, and how far it came", function()
        local out = printed [[
            quoll.configure { threads = 1 } -- the first read is the first
            inject.ql_inject_fail("preadv2", -1, 1, 0, 11)
            inject.ql_inject_fail("pread", -1, 2, 0, 5)
            quoll.run(function()
                local got, _, err, sent, code = transfer "r"
                print(got == text:sub(1, sent), err, sent, code)
            end)
        ]]
        assert.equal("true\tPATH: input/output error\t262144\tEIO\n", out)
    end)

    it("whose first byte cannot be read leaves the connection whole",
        function()
            local out = printed [[
                inject.ql_inject_aio_res(1, -5)
                quoll.run(function()
                    local client, server = pair.connect()
                    print(server:sendfile(quoll.open(path, "rd")))
                    print(server:send "still here", client:receive(10))
                end)
            ]]
            assert.equal("nil\tPATH: input/output error\t0\tEIO\n"
                .. "10\tstill here\n", out)
        end)

    it("without memory is an error at any point", function()
        local out = printed [[
            local wrong = 0
            for _, call in ipairs { "malloc", "memalign" } do
                for n = 1, 8 do
                    inject.ql_inject_clear()
                    inject.ql_inject_fail("preadv2", -1, 1, 0, 11)
                    quoll.run(function()
                        local client, server = pair.connect()
                        local file = assert(quoll.open(path))
                        local reader = quoll.spawn(function()
                            return (select(3, client:receive(#text + 1)))
                        end)
                        inject.ql_inject_fail(call, -1, n, n, 12)
                        local sent, err, part, code = server:sendfile(file)
                        server:close()
                        local right = sent == #text or code == "ENOMEM"
                            or not err
                        local got = reader:wait()
                        if not right or got ~= text:sub(1, sent or part) then
                            wrong = wrong + 1
                            print(call, n, sent, err, part, code)
                        end
                    end)
                end
            end
            print(wrong, quoll.stats().files.live)
        ]]
        assert.equal("0\t0\n", out)
    end)
end)

describe("a transfer of a file that is not local", function()
    local function far(source)
        return printed('inject.ql_inject_fail("fstatfs", -1, 1, 0, 5)\n'
            .. source)
    end

    it("asks a thread how much there is", function()
        local out = far [[
            quoll.run(function()
                local got, sent = transfer "r"
                print(got == text, sent == #text)
                local client, server = pair.connect()
                local file = quoll.open(path)
                print(server:sendfile(file, #text - 4, 100))
                print(client:receive(4) == text:sub(-4))
                print(server:sendfile(file, #text + 1))
                print(tonumber(inject.ql_inject_own_calls "fstat"))
            end)
        ]]
        assert.equal("true\ttrue\n4\ntrue\n0\n0\n", out)
    end)

    it("whose size cannot be had leaves the connection whole", function()
        local out = far [[
            quoll.run(function()
                local client, server = pair.connect()
                local file = quoll.open(path)
                inject.ql_inject_fail("statx", -1, 1, 1, 5)
                print(server:sendfile(file))
                inject.ql_inject_clear()
                inject.ql_inject_delay("statx", -1, 1, 1, 200000)
                server:settimeout(0.01)
                print(server:sendfile(file))
                local task = quoll.spawn(server.sendfile, server, file)
                quoll.yield()
                task:cancel()
                print(task:wait())
                print(server:send "still here", client:receive(10))
            end)
        ]]
        assert.equal("nil\tPATH: input/output error\t0\tEIO\n"
            .. "nil\ttimeout\t0\tTIMEOUT\nnil\tcancelled\tCANCELLED\n"
            .. "10\tstill here\n", out)
    end)

    it("ends with its file", function()
        local out = far [[
            quoll.run(function()
                local client, server = pair.connect()
                local file = quoll.open(path)
                inject.ql_inject_delay("statx", -1, 1, 1, 200000)
                local task = quoll.spawn(server.sendfile, server, file)
                quoll.yield()
                file:close()
                print(task:wait())
                client:close()
            end)
        ]]
        assert.equal("nil\tPATH: closed\t0\tCLOSED\n", out)
    end)
end)
