local helper = require "spec.helper"
local ends = require "spec.support.ends"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local ROUNDS = 2000

-- A player on fd that sends back ROUNDS bytes and then stops its loop.
local function player(loop, fd)
    local c = ends.connection(loop, fd, inject.ql_probe_bounce, nil)
    c.data = ffi.cast("void *", ROUNDS)
    assert(C.ql_handle_read_event(c.read, 0) == C.NGX_OK)
    return c
end

local function play(settings)
    return forked(function()
        local loops = ffi.new("ql_loop_t *[2]")
        local a, b = ends.pair()
        local players = {}
        for i, fd in ipairs { a, b } do
            loops[i - 1] = helper.loop(settings)
            players[i] = player(loops[i - 1], fd)
        end
        ends.write(a, "x") -- the serve
        assert.equal(2, inject.ql_probe_run_loops(loops, 2))
        for i, c in ipairs(players) do
            assert.equal(0, tonumber(ffi.cast("uintptr_t", c.data)))
            assert.is_true(helper.stats(loops[i - 1]).events > 1)
            C.ql_close_connection(c)
        end
    end)
end

describe("two loops in two threads", function()
    it("play with each other, edge-triggered", play({}))
    it("play with each other, level-triggered",
        play({ level_triggered = 1 }))
    it("play with each other, with a timer resolution",
        play({ timer_resolution = 5 }))
end)
