-- examples/ext/zstd.c: who lets go of a stream, and when.
local extensions = require "spec.support.extensions"
local helper = require "spec.helper"
local run = require("spec.support.tasks").run
local quoll = require "quoll"

local MIB = 1024 * 1024

describe("a stream of examples/ext/zstd", function()
    local zstd = extensions.load "zstd"
    if not zstd then
        return
    end
    helper.gates()

    local big -- takes level 19 some seconds

    setup(function()
        local random = assert(io.open("/dev/urandom", "rb"))
        big = random:read(10 * MIB)
        random:close()
    end)

    -- A task that compresses big by stream, and has begun: with a thread when
    -- turns is large.
    local function pushing(stream, turns)
        local task = quoll.spawn(stream.push, stream, big)
        for _ = 1, turns do
            quoll.yield()
        end
        return task
    end

    it("leaves the loop to others while it compresses", function()
        run(function()
            local done, turns = false, 0
            quoll.spawn(function()
                while not done do
                    quoll.yield()
                    turns = turns + 1
                end
            end)
            assert(zstd.compress(big, { level = -7 }))
            done = true
            assert.is_true(turns > 40) -- and there are 80 blocks
        end, 30)
    end)

    it("serves one task at a time", function()
        run(function()
            local stream = assert(zstd.compressor { level = 1 })
            local task = pushing(stream, 1)
            assert.same({ nil, "busy writing", "BUSY" },
                { stream:push "late" })
            assert.same({ nil, "busy writing", "BUSY" }, { stream:finish() })
            assert.is_true(#task:wait() > 9 * MIB)
            assert.is_string(stream:finish())
        end, 30)
    end)

    it("is told in words by quoll.tasks", function()
        run(function()
            local stream = assert(zstd.compressor { level = 1 })
            local task = pushing(stream, 1)
            local words
            for _, info in ipairs(quoll.tasks()) do
                words = info.id == task:id() and info.waits or words
            end
            assert.matches("^zstd: compress 10485760 bytes", words)
            task:cancel()
        end, 30)
    end)

    it("ends with a call that is cancelled", function()
        run(function()
            for turns = 0, 4 do
                local stream = assert(zstd.compressor { level = 19 })
                local task = pushing(stream, turns)
                task:cancel()
                assert.equal("cancelled", (select(2, task:wait())))
                if turns > 0 then -- else it has never pushed
                    assert.same({ nil, "closed", "CLOSED" },
                        { stream:push "more" })
                end
            end
            assert.same({ nil, "timeout", "DEADLINE" },
                { quoll.deadline(0.02, zstd.compress, big, { level = 19 }) })
        end, 30)
    end)

    it("is closed in the middle of a call", function()
        run(function()
            for turns = 1, 4 do
                local stream = assert(zstd.compressor { level = 19 })
                local task = pushing(stream, turns)
                assert.is_true(stream:close())
                assert.same({ nil, "closed", "CLOSED" }, { task:wait() })
                assert.same({ nil, "closed", "CLOSED" }, { stream:finish() })
            end
        end, 30)
    end)

    it("is closed by its owner's end", function()
        run(function()
            local stream, task
            quoll.spawn(function()
                stream = assert(zstd.compressor { level = 19 })
                task = quoll.spawn(stream.push, stream, big):detach()
                quoll.yield()
            end):wait()
            assert.same({ nil, "closed", "OWNER_ENDED" },
                { stream:push "more" })
            assert.same({ nil, "closed", "OWNER_ENDED" }, { task:wait() })
        end, 30)
    end)

    it("is taken by the collector", function()
        run(function()
            for _ = 1, 5 do
                local stream = assert(zstd.decompressor())
                stream:disown()
                stream:push "\40\181\47\253"
            end
        end, 30)
        collectgarbage()
    end)
end)
