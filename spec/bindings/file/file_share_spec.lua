local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local run, share = tasks.run, core.file.share

local function opened()
    local path = tasks.file "text"
    local file = assert(quoll.open(path))
    os.remove(path)
    return file
end

describe("another handle of a file", function()
    helper.gates()

    it("reads, though the first one is closed", function()
        local first = opened()
        local second = share(first)
        assert.equal("file", getmetatable(second))
        assert.equal(1, quoll.stats().files.live)
        assert.is_true(first:close())
        assert.equal("text", second:pread(10, 0))
        assert.is_true(second:close())
        assert.equal(0, quoll.stats().files.live)
    end)

    it("has a position of its own", function()
        local first = opened()
        local second = share(first)
        assert.equal("te", first:read(2))
        assert.equal("text", second:read(4))
        assert.equal("xt", first:read(2))
        assert.is_true(second:close())
        assert.equal("text", first:pread(10, 0))
        first:close()
    end)

    it("is its task's", function()
        local first, second = opened(), nil
        run(function()
            quoll.spawn(function() second = share(first) end):wait()
            assert.equal("OWNER_ENDED", select(3, second:pread(1, 0)))
        end)
        assert.equal("text", first:pread(10, 0))
        first:close()
    end)

    it("is of an open file", function()
        local first = opened()
        first:close()
        assert.same({ nil, "closed", "CLOSED" }, { share(first) })
        local ok, err = pcall(share, {})
        assert.is_false(ok)
        assert.matches("bad argument 'self' to 'share'", err)
    end)
end)
