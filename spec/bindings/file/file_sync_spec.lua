local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function with(mode, fn)
    local path = tasks.file("0123456789")
    finally(function() os.remove(path) end)
    run(function()
        fn(assert(quoll.open(path, mode)), path)
    end)
end

describe("sync", function()
    helper.gates()

    it("is true when the disk has it", function()
        for _, mode in ipairs { "r", "r+", "a" } do
            with(mode, function(file)
                assert.same({ true }, { file:sync() })
                assert.same({ true }, { file:sync { data = true } })
                assert.same({ true }, { file:sync {} })
            end)
        end
    end)

    it("refuses options it does not know", function()
        with("r+", function(file)
            for _, bad in ipairs { 1, { date = true }, { data = 1 } } do
                local ok, err = pcall(function() file:sync(bad) end)
                assert.is_false(ok)
                assert.matches("file_sync_spec.lua:%d+: bad argument", err)
            end
        end)
    end)

    it("may be many at one time, and ends with the file", function()
        with("r+", function(file)
            local syncs = {}
            for i = 1, 10 do
                syncs[i] = quoll.spawn(function()
                    return { file:sync() }
                end)
            end
            tasks.settle()
            file:close()
            for i = 1, 10 do
                local result = syncs[i]:wait()
                assert.is_true(result[1] or result[3] == "CLOSED")
            end
            assert.same({ nil, "closed", "CLOSED" }, { file:sync() })
        end)
    end)
end)

describe("truncate", function()
    helper.gates()

    it("cuts and lengthens, and leaves the position", function()
        with("r+", function(file)
            assert.equal("01", file:read(2))
            assert.same({ true }, { file:truncate(5) })
            assert.equal("234", file:read "*a")
            assert.is_true(file:truncate(8))
            assert.equal("\0\0\0", file:read "*a")
            assert.is_true(file:truncate(0))
            assert.same({ 8, 0 }, { file:seek(), file:size() })
        end)
    end)

    it("is EBADF on a file that is only read", function()
        with("r", function(file, path)
            assert.same({ nil, path .. ": bad file descriptor", "EBADF" },
                { file:truncate(1) })
        end)
    end)

    it("raises on bad sizes and says closed", function()
        with("r+", function(file)
            for _, bad in ipairs { -1, 0.5, "x", {} } do
                local ok, err = pcall(function() file:truncate(bad) end)
                assert.is_false(ok)
                assert.matches("file_sync_spec.lua:%d+: bad argument 'size'",
                    err)
            end
            assert.is_false(pcall(file.truncate, file))
            file:close()
            assert.same({ nil, "closed", "CLOSED" }, { file:truncate(1) })
        end)
    end)
end)

describe("stat", function()
    helper.gates()

    it("is what quoll.fs.stat says of its path, and sees what was written",
        function()
            with("r+", function(file, path)
                assert.same(quoll.fs.stat(path), file:stat())
                file:seek("end")
                file:write("more")
                assert.same({ 14, "file" },
                    { file:stat().size, file:stat().type })
                os.remove(path)
                assert.equal(0, file:stat().nlink)
                file:close()
                assert.same({ nil, "closed", "CLOSED" }, { file:stat() })
            end)
        end)
end)
