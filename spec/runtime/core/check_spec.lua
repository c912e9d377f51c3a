-- Misuse, as builds with QL_CHECKS find it; libquoll-test.so always is one.
local child = require "spec.support.child"
local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C

local SIGABRT = 6

pcall(ffi.cdef, [[
int pthread_create(pthread_t *thread, const void *attributes,
                   void *(*start)(void *), void *argument);
int pthread_join(pthread_t thread, void **result);
]])

-- What a child that calls fn says as it ends; nil: it ends well.
local function said(fn)
    local result = child.fork({ err = 2 }, function()
        local ok, err = pcall(fn)
        io.stderr:write(ok and "" or tostring(err))
        ffi.C._exit(ok and 0 or 1)
    end):wait(helper.seconds(10))
    if result.code ~= 0 then
        assert.equal(SIGABRT, result.signal, result.err)
        return result.err
    end
end

local function misuse(text, fn)
    return function()
        assert.equal("quoll: misuse: " .. text .. "\n", said(fn))
    end
end

local function closed(loop)
    local c = C.ql_get_connection(loop, 0)
    c.borrowed = 1
    C.ql_close_connection(c)
    return c
end

-- fn(argument) on a thread of its own, to its end.
local function on_thread(fn, argument)
    local thread = ffi.new("pthread_t[1]")
    assert(ffi.C.pthread_create(thread, nil,
        ffi.cast("void *(*)(void *)", fn), ffi.cast("void *", argument)) == 0)
    ffi.C.pthread_join(thread[0], nil)
end

local gone = "the event's connection was closed"
local foreign = "called from a thread that is not the loop's; there only "
    .. "ql_notify() and ql_post_from_thread() may be"

describe("an event of a closed connection", function()
    for _, name in ipairs { "ql_post_event", "ql_post_next_event",
        "ql_post_last_event" } do
        it("is not posted by " .. name, misuse(name .. ": " .. gone,
            function()
                local loop = helper.loop()
                C[name](loop, closed(loop).read)
            end))
    end

    for _, name in ipairs { "ql_add_timer", "ql_add_timer_nsec",
        "ql_add_timer_at", "ql_add_timer_cached" } do
        it("gets no timer by " .. name, misuse(name .. ": " .. gone,
            function()
                local loop = helper.loop()
                C[name](loop, closed(loop).write, 1)
            end))
    end

    for _, name in ipairs { "ql_handle_read_event", "ql_handle_write_event" }
    do
        it("is not waited for by " .. name, misuse(name .. ": " .. gone,
            function()
                local ev = closed(helper.loop()).read
                if name == "ql_handle_read_event" then
                    C.ql_handle_read_event(ev, 0)
                else
                    C.ql_handle_write_event(ev)
                end
            end))
    end

    for _, name in ipairs { "add", "del", "enable", "disable" } do
        it("is in no epoll set: " .. name, misuse("ql_epoll_" .. name
            .. "_event: " .. gone, function()
                local loop = helper.loop()
                C.ql_loop_init(loop)
                C.ql_epoll_actions[name](loop, closed(loop).read,
                    C.QL_READ_EVENT, 0)
            end))
    end

    it("is another's when the connection is used again", function()
        assert.is_nil(said(function()
            local loop = helper.loop()
            local c = closed(loop)
            C.ql_process_events_and_timers(loop, 0)
            while C.ql_get_connection(loop, 0) ~= c do
                loop.stats.live = 0
            end
            C.ql_add_timer(loop, c.read, 1)
        end))
    end)
end)

describe("ql_free_connection", function()
    it("is not for one with a timer", misuse("ql_free_connection: an event "
        .. "of it has a timer still", function()
            local loop = helper.loop()
            local c = C.ql_get_connection(loop, 0)
            C.ql_add_timer(loop, c.read, 1)
            C.ql_free_connection(c)
        end))

    it("is not for one with a posted event", misuse("ql_free_connection: an "
        .. "event of it is posted still", function()
            local loop = helper.loop()
            local c = C.ql_get_connection(loop, 0)
            C.ql_post_event(loop, c.write)
            C.ql_free_connection(c)
        end))
end)

describe("another thread", function()
    it("does not call ql_loop_init again", misuse("ql_loop_init: " .. foreign,
        function()
            local loop = helper.loop()
            C.ql_loop_init(loop)
            on_thread(C.ql_loop_init, loop)
        end))

    it("calls ql_notify", function()
        assert.is_nil(said(function()
            local loop = helper.loop()
            C.ql_loop_init(loop)
            on_thread(C.ql_notify, loop)
            C.ql_process_events_and_timers(loop, helper.INFINITE)
        end))
    end)

    it("may start a loop that was made elsewhere", function()
        assert.is_nil(said(function()
            local loop = helper.loop()
            on_thread(C.ql_loop_init, loop)
            assert(C.ql_loop_own_thread(loop) == 0)
        end))
    end)
end)

describe("any other build", function()
    it("has none of this", function()
        if helper.sanitized then
            return pending "a debug build"
        end
        local file = io.open(helper.build .. "/lib/libquoll.so", "rb")
        local text = file:read "*a"
        file:close()
        assert.is_nil(text:find(gone, 1, true))
        assert.is_nil(text:find(foreign, 1, true))
    end)
end)
