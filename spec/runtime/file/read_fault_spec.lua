local helper = require "spec.helper"
local files = require "spec.support.files"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local opened = files.counted

local close = files.close

local function begin(file, size, offset)
    local r = C.ql_read_create(file, size, offset or 0)
    local rc = C.ql_read_attempt(r)
    return r, rc
end

describe("a read that its waiter lets go", function()
    -- Freed in this state; its handler is never called.
    local function freed(direct, prepare)
        local loop, file, path = opened(direct)
        local r = C.ql_read_create(file, BLOCK, 0)
        r.event.handler = helper.handler(function()
            error("called")
        end)
        prepare(loop, r)
        C.ql_read_free(r)
        close(file, path)
        helper.run_until(loop, function()
            return stat(loop, "reads_live") + stat(loop, "files_live") == 0
        end)
        C.ql_process_events_and_timers(loop, 0)
    end

    local states = {
        ["before it was attempted"] = function() end,
        ["while it is gathered"] = function(loop, r)
            C.ql_aio_init(loop)
            loop.aio.blocked = true
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            loop.aio.blocked = false
        end,
        ["while the kernel has it"] = function(loop, r)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            assert.equal(1, stat(loop, "aio_in_flight"))
        end,
        ["with its timer armed"] = function(loop, r)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            C.ql_add_timer(loop, r.event, 60000)
        end,
    }

    for name, prepare in pairs(states) do
        it(name .. " is freed by the last to let go", forked(function()
            freed(true, prepare)
        end))
    end

    it("while a thread has it is freed later", forked(function()
        local started = 0
        freed(false, function(loop, r)
            inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
            inject.ql_inject_delay("pread", -1, 1, 0, 50000)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            helper.run_until(loop, function()
                C.ql_notify(loop)
                started = files.calls("pread")
                return started > 0
            end)
        end)
        assert.equal(1, started)
    end))

    it("while it waits for a thread is freed at once", forked(function()
        local loop, file, path = opened(false, 4, { threads = 1 })
        inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
        inject.ql_inject_delay("pread", -1, 1, 1, 50000)
        local first = begin(file, BLOCK)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pread") > 0
        end)
        local second = begin(file, BLOCK)
        C.ql_read_free(second)
        assert.equal(1, stat(loop, "reads_live"))
        assert.equal(BLOCK, #files.finish(loop, first))
        assert.equal(1, files.calls("pread"))
        close(file, path)
    end))

    it("when it is complete but not looked at", forked(function()
        local loop, file, path = opened(true)
        local r = begin(file, BLOCK)
        local called = false
        r.event.handler = helper.handler(function() called = true end)
        helper.run_until(loop, function() return called end)
        C.ql_read_free(r)
        assert.equal(0, stat(loop, "reads_live"))
        close(file, path)
    end))
end)
