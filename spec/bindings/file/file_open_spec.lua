local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local head = [[
    local inject = require "spec.support.scripted"
    local quoll = require "quoll"
    local EAGAIN, EMFILE = 11, 24

    -- The next open is made by a thread, which takes its time.
    local function slowly(us)
        inject.ql_inject_fail("openat2", -1, 1, 0, EAGAIN)
        inject.ql_inject_delay("open", -1, 1, 0, us)
    end
    local function opening()
        while inject.ql_inject_calls("open") == 0 do
            quoll.yield()
        end
    end
    local function settled()
        while quoll.stats().pool.pending > 0 do
            quoll.yield()
        end
        collectgarbage()
        collectgarbage()
        local stats = quoll.stats()
        return stats.files.live, stats.pool.calls, stats.files.orphans,
            tonumber(inject.ql_inject_calls("close"))
    end
]]

-- What a script prints whose loop has scripted system calls.
local function printed(source)
    local result = helper.script(head .. source)
    assert.same({ 0, "" }, { result.code, result.err })
    return result.out
end

local function new_path()
    local path = os.tmpname()
    os.remove(path)
    return path
end

local function text_of(path)
    local file = io.open(path, "rb")
    local text = file and file:read "*a"
    return text, file and file:close()
end

describe("a mode", function()
    helper.gates()

    -- Whether io's own open would make or empty the file.
    for mode, expected in pairs {
        ["r"] = { "old", nil }, ["rb"] = { "old", nil },
        ["rd"] = { "old", nil }, ["r+"] = { "old", nil },
        ["rb+"] = { "old", nil }, ["r+b"] = { "old", nil },
        ["r+d"] = { "old", nil }, ["w"] = { "", "" }, ["wb"] = { "", "" },
        ["w+"] = { "", "" }, ["w+bd"] = { "", "" }, ["a"] = { "old", "" },
        ["a+"] = { "old", "" }, ["ab+"] = { "old", "" },
    } do
        it(mode .. " makes and empties what io's does", function()
            local path, missing = tasks.file "old", new_path()
            finally(function()
                os.remove(path)
                os.remove(missing)
            end)
            assert(quoll.open(path, mode)):close()
            local made, _, code = quoll.open(missing, mode)
            assert.equal(expected[1], (text_of(path)))
            assert.equal(expected[2], (text_of(missing)))
            if made then
                made:close()
            else
                assert.equal("ENOENT", code)
            end
        end)
    end

    it("that does not read fails to read, as io's", function()
        local path = new_path()
        finally(function() os.remove(path) end)
        local file = assert(quoll.open(path, "w"))
        assert.same({ nil, path .. ": bad file descriptor", "EBADF" },
            { file:pread(1, 0) })
        file:close()
    end)
end)

describe("open", function()
    helper.gates()

    it("waits in a task while the others go on", function()
        local path = new_path()
        finally(function() os.remove(path) end)
        run(function()
            local turns = 0
            quoll.spawn(function()
                turns = turns + 1
            end)
            local file = assert(quoll.open(path, "w"))
            assert.is_true(turns > 0)
            assert.matches("^file %(open%)", tostring(file))
        end)
        assert.equal(0, quoll.stats().files.live) -- the task's end
    end)

    it("names the path, or the root, in its errors", function()
        for _, case in ipairs {
            { { "../x", "r", { root = "docs" } },
                "../x: outside of its root", "EXDEV" },
            { { "/x", "r", { root = "docs" } },
                "/x: outside of its root", "EXDEV" },
            { { "x", "r", { root = "/no/such" } },
                "/no/such: no such file or directory", "ENOENT" },
            { { "x\0y", "r" }, "x\\0y: contains a zero byte", "EINVAL" },
            { { "x", "r", { root = "docs\0" } },
                "docs\\0: contains a zero byte", "EINVAL" },
            { { "docs", "w" }, "docs: is a directory", "EISDIR" },
            { { "/dev/null", "w" }, "/dev/null: not a regular file",
                "EINVAL" },
        } do
            assert.same({ nil, case[2], case[3] },
                { quoll.open(unpack(case[1])) })
        end
    end)

    it("makes a file with its permissions", function()
        local path = new_path()
        finally(function() os.remove(path) end)
        assert(quoll.open(path, "w", { permissions = tonumber("600", 8) }))
            :close()
        local stat = io.popen("stat -c %a " .. path)
        finally(function() stat:close() end)
        assert.equal("600", stat:read())
    end)

    it("reads direct from a size up", function()
        local size = #text_of "LICENSE"
        for bytes, more in pairs { [size] = 1, [size + 1] = 0 } do
            local direct = quoll.stats().files.direct
            local file = assert(quoll.open("LICENSE", "r",
                { directio = bytes }))
            assert.equal(10, #file:pread(10, 0))
            file:close()
            assert.equal(more, quoll.stats().files.direct - direct)
        end
    end)
end)

describe("an open that is cancelled in its thread", function()
    it("leaves nothing, the others go on", function()
        assert.equal("cancelled\t0\t0\t0\t1\n", printed [[
            quoll.run(function()
                slowly(20000)
                local task = quoll.spawn(quoll.open, "LICENSE")
                opening()
                task:cancel()
                local _, why = task:wait()
                print(why, settled())
            end)
        ]])
    end)

    it("leaves nothing, begun or not", function()
        assert.equal("0\t0\t0\ttrue\n", printed [[
            quoll.configure { threads = 2 }
            quoll.run(function()
                slowly(1000)
                local all = {}
                for i = 1, 200 do
                    all[i] = quoll.spawn(quoll.open, "LICENSE")
                end
                opening()
                for i = 1, 200 do
                    all[i]:cancel()
                end
                local live, calls, orphans, closed = settled()
                print(live, calls, orphans,
                    closed == tonumber(inject.ql_inject_calls("open")))
            end)
        ]])
    end)

    it("lets the script end", function()
        local result = helper.script(head .. [[
            slowly(20000)
            quoll.spawn(quoll.open, "LICENSE")
            quoll.spawn(opening):wait()
        ]])
        assert.equal(0, result.code, result.err)
    end)
end)

describe("out of descriptors", function()
    it("open fails, and works again", function()
        assert.equal("nil\tLICENSE: too many open files\tEMFILE\n"
            .. "nil\tLICENSE: too many open files\tEMFILE\ntrue\t0\n",
            printed [[
            inject.ql_inject_fail("openat2", -1, 1, 1, EMFILE)
            print(quoll.open "LICENSE")
            inject.ql_inject_fail("openat2", -1, 1, 1, EAGAIN)
            inject.ql_inject_fail("open", -1, 1, 1, EMFILE)
            print(quoll.open "LICENSE")
            local file = quoll.open "LICENSE"
            print(file:close(), (settled()))
        ]])
    end)
end)

describe("a process out of descriptors", function()
    it("is told so by each call, and goes on when one is free", function()
        local result = helper.script [[
            local ffi = require "ffi"
            local quoll = require "quoll"
            ffi.cdef "struct limit { uint64_t soft, hard; };"
            ffi.cdef "int setrlimit(int what, const struct limit *limit);"
            quoll.sleep(0) -- the loop has its own
            assert(ffi.C.setrlimit(7, ffi.new("struct limit", 40, 40)) == 0)
            local fs, files, err, code = quoll.fs, {}, nil, nil
            repeat
                files[#files + 1], err, code = quoll.open "LICENSE"
            until err
            print(#files > 8, err, code)
            print(quoll.open("x", "w"))
            print(fs.readfile "LICENSE")
            print(fs.readdir ".")
            print(fs.copyfile("LICENSE", "/tmp/none"))
            print(fs.writefile("LICENSE", "x"))
            print(fs.tempfile())
            print(fs.stat("LICENSE", { root = "." }))
            print(fs.stat("LICENSE").type)
            files[1]:close()
            print(#fs.readfile("LICENSE") > 0)
            print(quoll.stats().files.live == #files - 1)
        ]]
        assert.same({ 0, "" }, { result.code, result.err })
        local full = ": too many open files\tEMFILE\n"
        assert.equal("true\tLICENSE" .. full .. "nil\tx" .. full
            .. "nil\tLICENSE" .. full .. "nil\t." .. full
            .. "nil\tLICENSE" .. full .. "nil\tLICENSE" .. full
            .. "nil\t/tmp" .. full .. "nil\t." .. full
            .. "file\ntrue\ntrue\n", result.out)
    end)
end)

describe("a result without memory for its handle", function()
    it("closes the file", function()
        assert.equal("nil\tLICENSE: cannot allocate memory\tENOMEM\t"
            .. "0\t0\t0\n", printed [[
            inject.ql_inject_fail("malloc", -1, 1, 2, 12)
            local a, b, c = quoll.open "LICENSE"
            print(a, b, c, settled())
        ]]:gsub("\t%d+\n", "\n"))
    end)
end)
