-- A file whose file system is not known to be local: what would ask a server
-- is a thread's.
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"

local head = [[
    local inject = require "spec.support.scripted"
    local quoll = require "quoll"
    local path = arg[1]
    inject.ql_inject_fail("fstatfs", -1, 1, 0, 5)
    -- What fn gives, and how many fstat and thread's jobs it took.
    local function cost(fn)
        local before = inject.ql_inject_calls("fstat")
        local jobs = quoll.stats().pool.jobs
        local result = { fn() }
        result[#result + 1] = tonumber(inject.ql_inject_calls("fstat")
            - before)
        result[#result + 1] = quoll.stats().pool.jobs - jobs
        print(unpack(result))
    end
]]

local function printed(source)
    local path = tasks.file("0123456789")
    local result = helper.script(head .. source, { path })
    os.remove(path)
    assert.equal(0, result.code, result.err)
    return (result.out:gsub(path:gsub("%p", "%%%0"), "PATH"))
end

describe("a file that is not local", function()
    it("is asked for its size by a thread", function()
        assert.equal("10\t0\t1\n10\t0\t1\n7\t0\t1\n789\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path)
                cost(function() return file:size() end)
                cost(function() return file:seek("end") end)
                cost(function() return file:seek("end", -3) end)
                print(file:read(10))
            end)
        ]]))
    end)

    it("stays where it was when the seek fails", function()
        assert.equal("nil\tPATH: invalid argument\tEINVAL\n"
            .. "nil\tPATH: input/output error\tEIO\n34\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path)
                file:read(3)
                print(file:seek("end", -11))
                inject.ql_inject_fail("statx", -1, 1, 1, 5)
                print(file:seek("end"))
                print(file:read(2))
            end)
        ]]))
    end)

    it("is not moved beneath a read that began meanwhile", function()
        assert.equal("nil\tBUSY\n0123\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path)
                inject.ql_inject_fail("preadv2", -1, 1, 0, 11)
                inject.ql_inject_delay("pread", -1, 1, 1, 200000)
                quoll.spawn(function()
                    local position, _, code = file:seek("end")
                    print(position, code)
                end)
                print(file:read(4))
            end)
        ]]))
    end)

    it("is streamed to its end without being asked for it", function()
        assert.equal("0123 4567 89 0\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path)
                local before = inject.ql_inject_calls("fstat")
                for chunk in file:chunks(4) do
                    io.write(chunk, " ")
                end
                print(tonumber(inject.ql_inject_calls("fstat") - before))
            end)
        ]]))
    end)

    it("is read direct to its end without being asked for it", function()
        assert.equal("0123456789\t0\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path, "rd")
                local before = inject.ql_inject_calls("fstat")
                print(file:pread(100, 0),
                    tonumber(inject.ql_inject_calls("fstat") - before))
            end)
        ]]))
    end)
end)
