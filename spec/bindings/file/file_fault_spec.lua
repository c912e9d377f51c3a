local helper = require "spec.helper"
local tasks = require "spec.support.tasks"

local size = 300000
local head = [[
    local inject = require "spec.support.scripted"
    local quoll = require "quoll"
    local path = arg[1]
    local text = io.open(path):read "*a"

    -- n reads at once; whether all were right.
    local function read_many(file, n)
        local reads, right = {}, true
        for i = 1, n do
            reads[i] = quoll.spawn(function()
                local got = file:pread(5000, i * 999)
                return got == text:sub(i * 999 + 1, i * 999 + 5000)
            end)
        end
        for i = 1, n do
            right = reads[i]:wait() and right
        end
        return right
    end
]]

-- What a script prints whose loop has scripted system calls.
local function printed(source)
    local words = {}
    for i = 1, size / 8 do
        words[i] = ("%08x"):format(i)
    end
    local path = tasks.file(table.concat(words))
    local result = helper.script(head .. source, { path })
    os.remove(path)
    assert.equal(0, result.code, result.err)
    return result.out:gsub(path:gsub("%p", "%%%0"), "PATH"), result.err
end

describe("a disk error", function()
    it("of a direct read reaches the script, and the loop goes on",
        function()
            local out, err = printed [[
                inject.ql_inject_aio_res(1, -5)
                quoll.run(function()
                    local file = quoll.open(path, "rd")
                    print(file:pread(4096, 4096))
                    print(file:pread(8, 8))
                    inject.ql_inject_aio_res(1, -5)
                    print(file:read(8))
                    print(file:read(8))
                end)
            ]]
            assert.equal("nil\tPATH: input/output error\tEIO\n00000002\n"
                .. "nil\tPATH: input/output error\tEIO\n00000001\n", out)
            local _, lines = err:gsub("failed %(5: Input/output error%)", "")
            assert.equal(2, lines)
        end)

    it("of a cached read reaches the script, and the loop goes on",
        function()
            local out = printed [[
                local function fail()
                    inject.ql_inject_fail("preadv2", -1, 1, 1, 5)
                    inject.ql_inject_fail("pread", -1, 1, 1, 5)
                end
                quoll.run(function()
                    local file = quoll.open(path)
                    fail()
                    print(file:pread(8, 8))
                    inject.ql_inject_clear()
                    print(file:pread(8, 8))
                    fail()
                    print(file:read "*l")
                    inject.ql_inject_clear()
                    print(file:read(8))
                end)
            ]]
            assert.equal("nil\tPATH: input/output error\tEIO\n00000002\n"
                .. "nil\tPATH: input/output error\tEIO\n00000001\n", out)
        end)
end)

describe("a machine that refuses io_setup", function()
    it("reads by other lanes and says so once", function()
        local out, err = printed [[
            inject.ql_inject_fail("io_setup", -1, 1, 0, 11)
            quoll.run(function()
                local file = quoll.open(path, "rd")
                print(read_many(file, 20), read_many(file, 20))
                print(file:read(8))
            end)
            print(quoll.stats().aio.submitted)
        ]]
        assert.equal("true\ttrue\n00000001\n0\n", out)
        local _, lines = err:gsub("io_setup", "")
        assert.equal(1, lines)
    end)
end)

describe("a full AIO context", function()
    it("queues, and every read is right", function()
        local out = printed [[
            quoll.configure { worker_aio_requests = 2 }
            quoll.run(function()
                print(read_many(quoll.open(path, "rd"), 200))
            end)
            local aio = quoll.stats().aio
            print(aio.submitted == aio.reaped, aio.in_flight,
                quoll.stats().files.queued)
        ]]
        assert.equal("true\ntrue\t0\t0\n", out)
    end)

    it("of the kernel's (EAGAIN) tries again", function()
        local out = printed [[
            inject.ql_inject_fail("io_submit", -1, 1, 5, 11)
            quoll.run(function()
                print(read_many(quoll.open(path, "rd"), 50))
            end)
            print(inject.ql_inject_calls "io_submit" > 5)
        ]]
        assert.equal("true\ntrue\n", out)
    end)

    it("that takes one of a batch gets the rest later", function()
        local out = printed [[
            inject.ql_inject_cut("io_submit", -1, 1, 30, 1)
            quoll.run(function()
                print(read_many(quoll.open(path, "rd"), 50))
            end)
        ]]
        assert.equal("true\n", out)
    end)
end)

describe("lack of memory in the runtime", function()
    it("is an error at any point, and the loop goes on", function()
        local out = printed [[
            local wrong, failed = 0, 0
            for _, mode in ipairs { "r", "rd" } do
                for _, call in ipairs { "malloc", "memalign", "realloc" } do
                    for n = 1, 12 do
                        inject.ql_inject_clear()
                        inject.ql_inject_fail(call, -1, n, n, 12)
                        local ok, err = pcall(quoll.run, function()
                            local file, _, code = quoll.open(path, mode)
                            local got = text:sub(2, 100001)
                            if file then
                                got, _, code = file:pread(100000, 1)
                            end
                            if code then
                                assert(code == "ENOMEM", code)
                                failed = failed + 1
                            else
                                assert(got == text:sub(2, 100001))
                            end
                        end)
                        if not ok and err:find("not enough memory") then
                            failed = failed + 1 -- no task could be made
                        elseif not ok then
                            wrong = wrong + 1
                            print(mode, call, n, err)
                        end
                    end
                end
            end
            inject.ql_inject_clear()
            quoll.run(function()
                print(read_many(quoll.open(path, "rd"), 20))
            end)
            print(wrong, failed > 0, quoll.stats().files.live)
        ]]
        assert.equal("true\n0\ttrue\t0\n", out)
    end)
end)

describe("interrupted and short system calls", function()
    it("change nothing", function()
        local out = printed [[
            inject.ql_inject_fail("epoll_pwait2", -1, 2, 3, 4)
            inject.ql_inject_fail("preadv2", -1, 1, 2, 4)
            inject.ql_inject_cut("preadv2", -1, 3, 9, 7)
            inject.ql_inject_cut("pread", -1, 3, 9, 7)
            quoll.run(function()
                print(read_many(quoll.open(path), 20),
                    read_many(quoll.open(path, "rd"), 20))
                print(quoll.open(path):read "*a" == text)
            end)
        ]]
        assert.equal("true\ttrue\ntrue\n", out)
    end)
end)
