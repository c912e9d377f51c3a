local helper = require "spec.helper"
local ffi, C = helper.ffi, helper.C
local forked = helper.forked

-- C.ql_conf_set's code and message.
local function set(conf, name, value)
    local err = ffi.new("char[256]")
    local rc = C.ql_conf_set(conf, name, value, err, 256)
    return rc, ffi.string(err)
end

-- The settings of a conf by name.
local function settings(conf)
    local all, i = {}, 0
    local value = ffi.new("uint32_t[1]")
    while true do
        local name = C.ql_conf_get(conf, i, value)
        if name == nil then
            return all
        end
        all[ffi.string(name)] = value[0]
        i = i + 1
    end
end

local function default()
    local conf = helper.conf()
    C.ql_conf_init(conf)
    return conf
end

describe("ql_epoll_conf_t", function()
    it("is created unset", forked(function()
        local conf = ffi.new("ql_epoll_conf_t")
        C.ql_epoll_create_conf(conf)
        assert.equal(0xffffffff, conf.events)
        assert.equal(0xffffffff, conf.aio_requests)
    end))

    it("gets its defaults", forked(function()
        local conf = ffi.new("ql_epoll_conf_t")
        C.ql_epoll_create_conf(conf)
        C.ql_epoll_init_conf(conf)
        assert.equal(512, conf.events)
        assert.equal(256, conf.aio_requests)
    end))

    it("keeps what was set", forked(function()
        local conf = ffi.new("ql_epoll_conf_t")
        C.ql_epoll_create_conf(conf)
        conf.events = 7
        C.ql_epoll_init_conf(conf)
        assert.equal(7, conf.events)
        assert.equal(256, conf.aio_requests)
    end))
end)

describe("ql_conf_t", function()
    it("has the documented defaults", forked(function()
        assert.same({
            epoll_events = 512, worker_aio_requests = 256,
            worker_connections = 1048576, timer_resolution = 0,
            multi_accept = 64, accept_queue = 128, accept_delay = 500,
            level_triggered = 0, threads = 4, thread_queue = 65536,
            aio_queue = 65536, overflow_error = 0, drain = 1000,
            keepalive = 1024,
            open_file_cache = 0, open_file_cache_valid = 60,
            open_file_cache_inactive = 60, open_file_cache_min_uses = 1,
            open_file_cache_errors = 0,
        }, settings(default()))
    end))

    it("takes every setting by its name", forked(function()
        local conf = default()
        for name in pairs(settings(conf)) do
            assert.same({ C.NGX_OK, "" }, { set(conf, name, 1) })
        end
        for name, value in pairs(settings(conf)) do
            assert.same({ name, 1 }, { name, value })
        end
    end))

    it("tells which settings are 0 or 1", forked(function()
        local flags = { level_triggered = 1, overflow_error = 1,
            open_file_cache_errors = 1 }
        for name in pairs(settings(default())) do
            assert.equal(flags[name] or 0, C.ql_conf_flag(name))
        end
    end))

    it("tells what may change while the loop runs", forked(function()
        for name in pairs(settings(default())) do
            local live = name == "keepalive" or name:find "^open_file_cache"
            assert.equal(live and 1 or 0, C.ql_conf_live(name))
        end
    end))

    it("declines a name it does not have", forked(function()
        local rc, err = set(default(), "epol_events", 1)
        assert.equal(C.NGX_DECLINED, rc)
        assert.matches("epol_events", err, 1, true)
    end))
end)

describe("ql_conf_set refuses", function()
    local bad = {
        { "a negative number", -1 }, { "a fraction", 1.5 },
        { "a huge number", 1e18 }, { "the unset mark", 0xffffffff },
        { "not a number", 0 / 0 }, { "infinity", math.huge },
    }

    for _, case in ipairs(bad) do
        it(case[1], forked(function()
            local conf = default()
            local before = settings(conf)
            for name in pairs(before) do
                local rc, err = set(conf, name, case[2])
                assert.equal(C.NGX_ERROR, rc)
                assert.matches("^" .. name
                    .. " must be a whole number from %d+ to %d+$", err)
            end
            assert.same(before, settings(conf))
        end))
    end

    it("0 where it makes no sense", forked(function()
        local conf = default()
        for _, name in ipairs { "epoll_events", "worker_aio_requests",
            "worker_connections", "multi_accept", "accept_queue" } do
            assert.equal(C.NGX_ERROR, (set(conf, name, 0)))
        end
    end))

    it("what is just outside a range, and nothing inside", forked(function()
        local conf = default()
        local text = ffi.new("char[256]")
        for name in pairs(settings(conf)) do
            C.ql_conf_describe(name, text, 256)
            local min, max = ffi.string(text):match("from (%d+) to (%d+)$")
            for _, case in ipairs { { min - 1, C.NGX_ERROR },
                { tonumber(min), C.NGX_OK }, { tonumber(max), C.NGX_OK },
                { max + 1, C.NGX_ERROR } } do
                assert.same({ name, case[1], case[2] },
                    { name, case[1], (set(conf, name, case[1])) })
            end
            assert.equal(tonumber(max), settings(conf)[name])
        end
    end))

    it("with the message that ql_conf_describe gives", forked(function()
        local text = ffi.new("char[256]")
        assert.equal(C.NGX_OK,
            C.ql_conf_describe("epoll_events", text, 256))
        local _, err = set(default(), "epoll_events", -1)
        assert.equal(err, ffi.string(text))
        assert.equal(C.NGX_DECLINED, C.ql_conf_describe("nothing", text, 256))
    end))

    it("without writing past a short buffer", forked(function()
        local err = ffi.new("char[8]", "1234567")
        C.ql_conf_set(default(), "epoll_events", -1, err, 4)
        assert.equal("epo", ffi.string(err))
        assert.equal("567", ffi.string(err + 4))
    end))
end)

describe("a loop's configuration", function()
    it("is filled in by ql_loop_create", forked(function()
        local loop = helper.loop({ epoll_events = 16 })
        local conf = settings(C.ql_loop_conf(loop))
        assert.equal(16, conf.epoll_events)
        assert.equal(256, conf.worker_aio_requests)
    end))

    it("sizes the event list", forked(function()
        local loop = helper.loop({ epoll_events = 16 })
        assert.equal(C.NGX_OK, C.ql_loop_init(loop))
        assert.equal(16, loop.nevents)
    end))
end)
