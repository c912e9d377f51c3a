local helper = require "spec.helper"
local ends = require "spec.support.ends"
local files = require "spec.support.files"
local grandchild = require "spec.support.grandchild"
local C, inject = helper.C, helper.inject
local forked = helper.forked

-- A connection that counts the bytes it gets.
local function counting(loop)
    local got = { bytes = "" }
    local c, b = ends.watched(loop, function(rev)
        got.bytes = got.bytes .. ends.drain(got.c.fd)
        rev.ready = 0
    end)
    got.c = c
    return got, b
end

local function turns(loop, got, expected)
    helper.run_until(loop, function() return got.bytes == expected end)
end

describe("a forked child", function()
    it("makes a set of its own and leaves its parent's alone",
        forked(function()
            local loop = helper.loop()
            local got, b = counting(loop)
            local fd = loop.ep
            grandchild(function()
                ends.write(b, "x")
                turns(loop, got, "x")
                assert(loop.ep ~= -1)
                C.ql_close_connection(got.c)
                C.ql_loop_destroy(loop)
            end)
            assert.equal(fd, loop.ep)
            ends.write(b, "y")
            turns(loop, got, "y")
            C.ql_close_connection(got.c)
            ends.close(b)
        end))

    it("that closes before its first turn takes nothing out of the set",
        forked(function()
            local sys, recorded = ends.recorder()
            local loop = helper.loop({}, sys)
            local got, b = counting(loop)
            local n = #recorded
            grandchild(function()
                C.ql_close_connection(got.c)
                assert.equal(n, #recorded)
                C.ql_loop_destroy(loop)
            end)
            ends.write(b, "x")
            turns(loop, got, "x")
            C.ql_close_connection(got.c)
            ends.close(b)
        end))

    it("that only ends its loop leaves its parent's alone", forked(function()
        local loop = helper.loop({ timer_resolution = 1 })
        local got, b = counting(loop)
        grandchild(function()
            C.ql_loop_destroy(loop)
        end)
        ends.write(b, "x")
        turns(loop, got, "x")
        C.ql_close_connection(got.c)
        ends.close(b)
    end))

    it("enters what it adds into its own set", forked(function()
        local loop = helper.loop()
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        grandchild(function()
            local got, b = counting(loop)
            ends.write(b, "x")
            turns(loop, got, "x")
        end)
        ends.turn(loop)
        assert.equal(0, tonumber(helper.stats(loop).stale))
    end))

    it("has timers and posted events of its own", forked(function()
        local loop = helper.loop({ timer_resolution = 1 })
        local fired = 0
        C.ql_loop_init(loop)
        C.ql_add_timer(loop, helper.event(loop, helper.handler(function()
            fired = fired + 1
        end)), 5)
        C.ql_post_event(loop, helper.event(loop, helper.handler(function()
            fired = fired + 1
        end)))
        local function both()
            helper.run_until(loop, function() return fired == 2 end)
        end
        grandchild(both)
        both()
    end))

    it("is reached by its own threads, not by its parent's notify",
        forked(function()
            local loop = helper.loop()
            C.ql_loop_init(loop)
            local eventfd = loop.notify.eventfd
            grandchild(function()
                ends.turn(loop)
                local before = tonumber(helper.stats(loop).events)
                assert.equal(C.NGX_OK, C.ql_notify(loop))
                ends.turn(loop)
                assert.equal(before + 1,
                    tonumber(helper.stats(loop).events))
            end)
            assert.equal(eventfd, loop.notify.eventfd)
            ends.turn(loop)
            assert.equal(0, tonumber(helper.stats(loop).events))
        end))

    it("asks nothing of its parent's that was posted before",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local path = files.make(files.bytes(8192))
            local file = files.open(loop, path, true)
            local r = C.ql_read_create(file, 8192, 0)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            grandchild(function()
                local reads, reaps = files.calls("read"),
                    files.calls("io_getevents")
                C.ql_post_event(loop, loop.aio.conn.read)
                C.ql_post_event(loop, loop.notify.conn.read)
                C.ql__posted_process(loop)
                assert.same({ reads, reaps },
                    { files.calls("read"), files.calls("io_getevents") })
                assert.equal(files.bytes(8192), files.finish(loop, r))
            end)
            assert.equal(files.bytes(8192), files.finish(loop, r))
            C.ql_file_close(file)
            os.remove(path)
        end))

    it("may fork again", forked(function()
        local loop = helper.loop()
        local got, b = counting(loop)
        grandchild(function()
            ends.turn(loop)
            grandchild(function()
                ends.write(b, "x")
                turns(loop, got, "x")
            end)
            ends.write(b, "y")
            turns(loop, got, "y")
        end)
        C.ql_close_connection(got.c)
        ends.close(b)
    end))

    it("knows that closing does not suffice any more", forked(function()
        local sys, recorded = ends.recorder()
        local loop = helper.loop({}, inject.ql_inject_new(sys))
        local got, b = counting(loop)
        grandchild(function()
            ends.turn(loop)
            local fd = got.c.fd
            C.ql_close_connection(got.c)
            assert.same({ ends.DEL, fd, 0 }, recorded[#recorded])
        end)
        C.ql_close_connection(got.c)
        ends.close(b)
    end))
end)
