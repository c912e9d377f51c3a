local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function with(mode, text, fn)
    local path = tasks.file(text)
    run(function()
        fn(assert(quoll.open(path, mode)), path)
    end, 20)
    local file = assert(io.open(path, "rb"))
    local result = file:read "*a"
    file:close()
    os.remove(path)
    return result
end

describe("pwrite", function()
    helper.gates()

    it("writes at an offset and leaves the position", function()
        assert.equal("012ab1c789\0\0z", with("r+", "0123456789",
            function(file)
                file:read(2)
                assert.equal(file, file:pwrite({ "ab", { 1 }, "c" }, 3))
                assert.equal(file, file:pwrite("z", 12))
                assert.equal(file, file:pwrite("", 50))
                assert.equal(2, file:seek())
            end))
    end)

    it("is seen by reads that had read ahead", function()
        with("r+", "one\ntwo\nthree\n", function(file)
            assert.equal("one", file:read())
            file:pwrite("TWO", 4)
            assert.equal("TWO", file:read())
            file:truncate(8)
            assert.is_nil((file:read()))
        end)
    end)

    it("may be many at one time", function()
        local parts, size = {}, 100000
        for i = 1, 20 do
            parts[i] = string.char(64 + i):rep(size)
        end
        local text = with("w", "", function(file)
            local writes = {}
            for i = 20, 1, -1 do
                writes[i] = quoll.spawn(file.pwrite, file, parts[i],
                    (i - 1) * size)
            end
            for i = 1, 20 do
                assert.equal(file, writes[i]:wait())
            end
        end)
        assert.is_true(table.concat(parts) == text)
    end)

    it("of more than a thread takes at once is whole", function()
        local large = ("0123456789abcdef"):rep(65536) .. "end"
        assert.is_true("--" .. large == with("w", "", function(file)
            assert.equal(file, file:pwrite({ "--", large }, 0))
        end))
    end)

    it("ends when the file is closed and when it is cancelled", function()
        local large = ("x"):rep(3000000)
        with("w", "", function(file)
            local writes = {}
            for i = 1, 3 do
                writes[i] = quoll.spawn(function()
                    return { file:pwrite(large, 0) }
                end)
            end
            tasks.settle()
            writes[1]:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" },
                { writes[1]:wait() })
            file:close()
            for i = 2, 3 do
                assert.same({ nil, "closed", "CLOSED" }, writes[i]:wait())
            end
            assert.same({ nil, "closed", "CLOSED" },
                { file:pwrite("x", 0) })
        end)
    end)

    it("is EBADF on a file that is only read", function()
        with("r", "x", function(file, path)
            assert.same({ nil, path .. ": bad file descriptor", "EBADF" },
                { file:pwrite("y", 0) })
        end)
    end)

    it("raises on bad arguments, and where the kernel would append",
        function()
            with("w", "", function(file)
                for _, args in ipairs { { nil, 0 }, { "x" }, { "x", -1 },
                    { "x", 0.5 }, { true, 0 } } do
                    local ok, err = pcall(function()
                        file:pwrite(args[1], args[2])
                    end)
                    assert.is_false(ok)
                    assert.matches("file_pwrite_spec.lua:%d+: bad argument "
                        .. "'%a+' to 'pwrite'", err)
                end
            end)
            assert.equal("0", with("a", "0", function(file)
                local ok, err = pcall(file.pwrite, file, "x", 0)
                assert.is_false(ok)
                assert.matches("'self' to 'pwrite' %(a file opened with \"a\"",
                    err)
            end))
        end)
end)
