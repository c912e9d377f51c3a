local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

-- Bytes that tell where they are.
local function pattern(size)
    local words = {}
    for i = 1, math.ceil(size / 8) do
        words[i] = ("%08x"):format(i)
    end
    return table.concat(words):sub(1, size)
end

local text = pattern(300001)

local function opened(mode, content)
    local path = tasks.file(content or text)
    local file, err = quoll.open(path, mode)
    os.remove(path)
    return assert(file, err)
end

local places = {
    { 0, 1 }, { 1, 1 }, { 511, 2 }, { 512, 512 }, { 4095, 2 }, { 4096, 4096 },
    { 4097, 8191 }, { 65535, 3 }, { 0, 65536 }, { 1, 65537 }, { 100, 200000 },
    { 299999, 1 }, { 299999, 2 }, { 300000, 1 }, { 300000, 100 },
    { 290000, 50000 }, { 0, 300001 }, { 0, 300002 },
}

for mode, name in pairs { r = "cached", rd = "direct" } do
    describe("pread of a " .. name .. " file", function()
        helper.gates()

        it("gives any piece at any offset", function()
            run(function()
                local file = opened(mode)
                for _, place in ipairs(places) do
                    local offset, n = place[1], place[2]
                    local got = file:pread(n, offset)
                    assert.is_true(text:sub(offset + 1, offset + n) == got,
                        n .. " bytes at " .. offset)
                end
            end)
        end)

        it("gives nil past the end and \"\" for 0 bytes", function()
            run(function()
                local file = opened(mode)
                for _, offset in ipairs { 300001, 300002, 2 ^ 31, 2 ^ 40 } do
                    assert.same({ n = 1 }, { n = select("#",
                        file:pread(10, offset)), file:pread(10, offset) })
                end
                assert.equal("", file:pread(0, 0))
                assert.equal("", file:pread(0, 5))
                assert.equal("", file:pread(0, 2 ^ 40))
            end)
        end)

        it("of an empty file is nil", function()
            run(function()
                local file = opened(mode, "")
                assert.is_nil((file:pread(1, 0)))
                assert.equal(0, file:size())
            end)
        end)

        it("serves 64 at a time", function()
            run(function()
                local file = opened(mode)
                local reads = {}
                for i = 1, 64 do
                    reads[i] = quoll.spawn(function()
                        local offset = i * 4567
                        local got = file:pread(1000 + i, offset)
                        assert.equal(text:sub(offset + 1, offset + 1000 + i),
                            got)
                        return true
                    end)
                end
                for i = 1, 64 do
                    assert.is_true(reads[i]:wait())
                end
            end, 10)
        end)

        it("sees a file that shrinks, and one that grows", function()
            local path = tasks.file(text)
            finally(function() os.remove(path) end)
            run(function()
                local file = assert(quoll.open(path, mode))
                assert.equal(text:sub(1, 10), file:pread(10, 0))
                local out = io.open(path, "w")
                out:write "short"
                out:close()
                assert.equal(5, file:size())
                assert.is_nil((file:pread(10, 100)))
                assert.equal("ort", file:pread(10, 2))
                out = io.open(path, "a")
                out:write " and long"
                out:close()
                assert.equal("ort and long", file:pread(100, 2))
            end)
        end)

        it("after close is an error, during a read the waiter's", function()
            run(function()
                local file = opened(mode)
                local reads = {}
                for i = 1, 8 do
                    reads[i] = quoll.spawn(file.pread, file, 100000, i)
                end
                tasks.settle()
                file:close()
                for i = 1, 8 do
                    local got, err, code = reads[i]:wait()
                    if got then
                        assert.is_true(text:sub(i + 1, i + 100000) == got)
                    else
                        assert.same({ "closed", "CLOSED" }, { err, code })
                    end
                end
                assert.same({ nil, "closed", "CLOSED" },
                    { file:pread(1, 0) })
            end)
        end)
    end)
end

describe("open", function()
    helper.gates()

    it("of a missing file is an error as io's", function()
        local file, err, code = quoll.open "/no/such/file"
        assert.is_nil(file)
        assert.equal(select(2, io.open "/no/such/file"):lower(), err)
        assert.equal("ENOENT", code)
    end)

    it("refuses a directory, a FIFO and a device", function()
        assert.same({ nil, "/tmp: is a directory", "EISDIR" },
            { quoll.open "/tmp" })
        assert.same({ nil, "/dev/null: not a regular file", "EINVAL" },
            { quoll.open "/dev/null" })
        local fifo = os.tmpname()
        os.remove(fifo)
        assert.equal(0, os.execute("mkfifo " .. fifo))
        finally(function() os.remove(fifo) end)
        assert.same({ nil, fifo .. ": not a regular file", "EINVAL" },
            { quoll.open(fifo) })
    end)

    it("refuses a socket, as all that work on files do", function()
        local path = os.tmpname()
        os.remove(path)
        local socket = assert(quoll.listen("unix:" .. path))
        finally(function()
            socket:close()
            os.remove(path)
        end)
        local expected = { nil, path .. ": not a regular file", "EINVAL" }
        for _, mode in ipairs { "r", "rd", "r+", "w", "w+", "a" } do
            assert.same(expected, { quoll.open(path, mode) })
        end
        assert.same(expected, { quoll.fs.readfile(path) })
        assert.same(expected, { quoll.fs.writefile(path, "x") })
        assert.same(expected, { quoll.fs.append(path, "x") })
        assert.same(expected, { quoll.fs.copyfile(path, path .. ".copy") })
        assert.same(expected, { quoll.fs.copyfile("LICENSE", path) })
        assert.equal("ENOTDIR", (select(3, quoll.fs.readdir(path))))
    end)

    it("of a file below a file is ENOTDIR", function()
        local _, _, code = quoll.open "LICENSE/x"
        assert.equal("ENOTDIR", code)
    end)

    it("refuses a path with a zero byte", function()
        local file, _, code = quoll.open "LICENSE\0.txt"
        assert.same({ nil, "EINVAL" }, { file, code })
    end)

    it("without permission is EACCES", function()
        local path = tasks.file "secret"
        finally(function() os.remove(path) end)
        os.execute("chmod 000 " .. path)
        local result = helper.script([[
            local ffi = require "ffi"
            ffi.cdef "int setuid(unsigned uid); unsigned geteuid(void);"
            local quoll = require "quoll"
            if ffi.C.geteuid() == 0 then
                ffi.C.setuid(65534)
            end
            print(quoll.open(arg[1]))
        ]], { path })
        assert.equal("nil\t" .. path .. ": permission denied\tEACCES\n",
            result.out)
    end)

    it("refuses bad arguments", function()
        for _, args in ipairs { {}, { 1 }, { "x", "rw" }, { "x", "q" },
            { "x", 1 }, { {}, "r" } } do
            local ok, err = pcall(quoll.open, args[1], args[2])
            assert.is_false(ok)
            assert.matches("bad argument '%a+' to 'open'", err)
        end
    end)

    it("reads what has no size and no O_DIRECT", function()
        run(function()
            for _, mode in ipairs { "r", "rd" } do
                local file = assert(quoll.open("/proc/self/status", mode))
                assert.matches("^Name:", file:pread(100, 0))
                assert.matches("\nPid:\t%d+\n", file:read "*a")
            end
        end)
    end)
end)

describe("a result that was finished but not taken", function()
    helper.gates()

    it("is not changed by another reader", function()
        run(function()
            local file = opened "r"
            local first = {}
            local one = quoll.spawn(function()
                local at = 0
                while at < 60000 do
                    local got, _, code = file:read(100)
                    if got then
                        first[#first + 1] = got
                        at = at + 100
                    else
                        assert.equal("BUSY", code)
                        quoll.yield()
                    end
                end
            end)
            local two = quoll.spawn(function()
                while one:status() ~= "done" do
                    local got, _, code = file:read(4)
                    assert.is_true(got ~= nil or code == "BUSY")
                    quoll.yield()
                end
            end)
            one:wait()
            two:wait()
            for _, got in ipairs(first) do
                assert.equal(100, #got)
            end
        end)
    end)

    it("of a file closed since then is an error or whole", function()
        run(function()
            local file = opened "r"
            local reader = quoll.spawn(function()
                local got, err, code
                repeat
                    got, err, code = file:read(100)
                until not got or #got ~= 100
                return got, err, code
            end)
            quoll.yield()
            file:close()
            assert.same({ nil, "closed", "CLOSED" }, { reader:wait() })
        end)
    end)
end)

describe("a large read of a cached file", function()
    helper.gates()

    it("lets the others have their turns", function()
        local size = helper.injected and 65536 or 8 * 1024 * 1024
        run(function()
            local file = opened("r", ("x"):rep(size))
            local turns = 0
            local other = quoll.spawn(function()
                while true do
                    quoll.yield()
                    turns = turns + 1
                end
            end)
            assert.equal(size, #file:pread(size, 0))
            other:cancel()
            assert.is_true(helper.injected or turns >= 4, turns .. " turns")
        end)
    end)
end)
