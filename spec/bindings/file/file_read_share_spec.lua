local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

describe("much of the page cache", function()
    helper.gates()

    local MIB = 2 ^ 20
    local much = ("0123456789abcdef"):rep(4 * MIB / 16)

    -- fn(file, turns) beside a task that counts the loop's turns.
    local function beside(fn)
        local path = tasks.file(much)
        run(function()
            local ours = assert(quoll.open(path))
            os.remove(path)
            assert.is_true(much == ours:pread(#much, 0))
            local turns = 0
            local other = quoll.spawn(function()
                while true do
                    turns = turns + 1
                    quoll.yield()
                end
            end)
            fn(ours, function() return turns end)
            other:cancel()
        end, 20)
    end

    for what, format in pairs { all = "*a", bytes = 4 * MIB, line = "*l" } do
        it("is read in shares of 256 KiB: " .. what, function()
            beside(function(ours, turns)
                assert.is_true(much == ours:read(format))
                assert.is_true(turns() >= 15, turns())
            end)
        end)
    end

    it("stays whole when its reader is cancelled between two shares",
        function()
            beside(function(ours)
                local reader = quoll.spawn(ours.read, ours, "*a")
                quoll.yield()
                quoll.yield()
                reader:cancel()
                assert.equal("CANCELLED", (select(3, reader:wait())))
                assert.is_true(much == ours:read "*a")
            end)
        end)

    it("is let go when the file is closed between two shares", function()
        beside(function(ours)
            local reader = quoll.spawn(ours.read, ours, "*a")
            quoll.yield()
            ours:close()
            assert.same({ nil, "closed", "CLOSED" }, { reader:wait() })
        end)
    end)
end)
