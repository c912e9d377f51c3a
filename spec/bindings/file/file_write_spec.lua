local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function content(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

-- fn(file, path) on a new file opened with this mode; what is in it then.
local function with(mode, text, fn)
    local path = tasks.file(text)
    local result
    run(function()
        local file = assert(quoll.open(path, mode))
        fn(file, path)
        file:close()
        result = content(path)
    end, 20)
    os.remove(path)
    return result
end

describe("write", function()
    helper.gates()

    it("takes strings, numbers and nested tables, and returns the file",
        function()
            assert.equal("ab1c2.5defg10 ", with("w", "old", function(file)
                assert.equal(file, file:write("ab", 1, "c"))
                assert.equal(file, file:write(2.5):write("def"))
                assert.equal(file, file:write({ "g", { 10, {} } }, " "))
                assert.equal(file, file:write())
                assert.equal(file, file:write(""))
                assert.equal(1, select("#", file:write("")))
            end))
        end)

    it("writes large strings and tables whole", function()
        local large = ("0123456789abcdef"):rep(65536) .. "end"
        local text = with("w", "", function(file)
            file:write(large)
            file:write { large, "-", large }
            assert.equal(3 * #large + 1, file:seek())
        end)
        assert.is_true(text == large .. large .. "-" .. large)
    end)

    it("goes to the position; reading and writing take turns", function()
        local lines = "one\ntwo\nthree\n"
        assert.equal("one\nTWO\nthree\nfour", with("r+", lines, function(file)
            assert.equal("one", file:read())
            file:write("TWO")
            assert.equal("", file:read())
            assert.equal("three", file:read())
            file:write("four")
            assert.equal(18, file:seek())
            assert.is_nil((file:read(1)))
            file:seek("set", 4)
            assert.equal("TWO\nthree\nfour", file:read "*a")
        end))
        assert.equal("\0\0x", with("w+", "old", function(file)
            file:seek("set", 2)
            file:write("x")
            assert.equal(3, file:seek())
        end))
    end)

    it("appends where others have been", function()
        assert.equal("0one-two", with("a+", "0", function(file, path)
            assert.equal(0, file:seek())
            file:write("one")
            assert.equal(4, file:seek())
            local other = assert(io.open(path, "a"))
            other:write("-")
            other:close()
            file:seek("set", 1)
            file:write("two")
            assert.equal(8, file:seek())
            file:seek("set", 0)
            assert.equal("0one-two", file:read "*a")
        end))
    end)

    it("is EBADF where the file was not opened for it", function()
        with("r", "x", function(file, path)
            assert.same({ nil, path .. ": bad file descriptor", "EBADF" },
                { file:write("y") })
        end)
        with("w", "x", function(file, path)
            assert.same({ nil, path .. ": bad file descriptor", "EBADF" },
                { file:read(1) })
        end)
    end)

    it("raises on what is neither string, number nor table", function()
        with("w", "", function(file)
            for _, bad in ipairs { true, print, { {} , { false } } } do
                for _, args in ipairs { { bad }, { "x", bad } } do
                    local ok, err = pcall(function()
                        file:write(unpack(args))
                    end)
                    assert.is_false(ok)
                    assert.matches("file_write_spec.lua:%d+: bad argument "
                        .. "'data' to 'write'", err)
                end
            end
            assert.is_false(pcall(file.write, file, nil))
            assert.is_false(pcall(file.write, file, "x", nil))
        end)
    end)

    it("says closed on a closed file", function()
        with("w", "", function(file)
            file:close()
            assert.same({ nil, "closed", "CLOSED" }, { file:write("x") })
        end)
    end)
end)

describe("two tasks at the position", function()
    helper.gates()
    local large = ("x"):rep(3000000)

    it("are refused, reading or writing", function()
        with("w+", "", function(file)
            local first = quoll.spawn(file.write, file, large)
            tasks.settle()
            for _, second in ipairs { { file.write, file, "y" },
                { file.read, file, 1 }, { file.seek, file } } do
                assert.same({ nil, "busy writing", "BUSY" },
                    { second[1](second[2], second[3]) })
            end
            assert.equal(file, first:wait())
            assert.equal(3000000, file:seek())
        end)
    end)

    it("are told when the file is closed meanwhile", function()
        with("w", "", function(file)
            local first = quoll.spawn(function()
                return { file:write(large) }
            end)
            tasks.settle()
            file:close()
            assert.same({ nil, "closed", "CLOSED" }, first:wait())
        end)
    end)
end)

describe("a cancelled write", function()
    helper.gates()
    local large = ("x"):rep(3000000)

    it("has written a front of its bytes; the position is behind them",
        function()
            for turns = 1, 20 do
                local text = with("w+", "", function(file)
                    local first = quoll.spawn(file.write, file, large)
                    for _ = 1, turns do
                        quoll.yield()
                    end
                    first:cancel()
                    first:wait()
                    assert.equal(file, file:write("end"))
                end)
                assert.equal("end", text:sub(-3))
                assert.is_true(large:sub(1, #text - 3) == text:sub(1, -4))
            end
        end)

    it("is waited for by a read", function()
        with("w+", "", function(file)
            local first = quoll.spawn(file.write, file, large)
            tasks.settle()
            first:cancel()
            first:wait()
            assert.is_nil((file:read(1)))
            assert.equal(file:size(), file:seek())
        end)
    end)
end)
