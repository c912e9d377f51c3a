local helper = require "spec.helper"
local quoll = require "quoll"

-- What a script of its own prints.
local function printed(source)
    local result = helper.script("local quoll = require 'quoll'\n" .. source)
    assert.equal(0, result.code, result.err)
    return result.out, result.err
end

describe("configure", function()
    it("refuses every bad value with the setting's name and range", function()
        local out = printed [[
            local settings = quoll.configure()
            local n = 0
            -- no whole numbers
            settings.slice_warn, settings.slice_max, settings.grace = nil
            for name in pairs(settings) do
                for _, bad in ipairs { -1, 0.5, 1e18, 0/0, math.huge, "16", {},
                    print } do
                    local ok, err = pcall(quoll.configure, { [name] = bad })
                    local range = name
                        .. " must be a whole number from %d+ to %d+"
                    if ok or not err:find(range) then
                        print(name, bad, ok, err)
                    end
                    n = n + 1
                end
            end
            print(n >= 8 * 12)
        ]]
        assert.equal("true\n", out)
    end)

    it("refuses 0 where it makes no sense", function()
        for _, name in ipairs { "epoll_events", "worker_aio_requests",
            "worker_connections", "multi_accept", "accept_queue", "threads" }
        do
            local ok, err = pcall(quoll.configure, { [name] = 0 })
            assert.is_false(ok)
            assert.matches(name .. " must be a whole number from 1 to %d+",
                err)
        end
    end)

    it("takes true and false for what is 0 or 1, for nothing else", function()
        for _, name in ipairs { "epoll_events", "threads", "drain" } do
            local ok, err = pcall(quoll.configure, { [name] = true })
            assert.is_false(ok)
            assert.matches(name .. " must be a whole number from .*, got "
                .. "boolean", err)
        end
        assert.equal("1\t0\n", (printed [[
            local all = quoll.configure { level_triggered = true,
                open_file_cache_errors = false }
            print(all.level_triggered, all.open_file_cache_errors)
        ]]))
    end)

    it("takes seconds for a grace", function()
        for _, bad in ipairs { -1, 0 / 0, "1", true } do
            local ok, err = pcall(quoll.configure, { grace = bad })
            assert.is_false(ok)
            assert.matches("grace must be seconds, 0 or more, got", err)
        end
        assert.equal(0, quoll.configure().grace)
        assert.equal("0.5\tinf\n", (printed [[
            print(quoll.configure { grace = 0.5 }.grace,
                quoll.configure { grace = math.huge }.grace)
        ]]))
    end)

    it("refuses what is no setting, and what is no name", function()
        local ok, err = pcall(function() quoll.configure { events = 1 } end)
        assert.is_false(ok)
        assert.matches("settings_spec.lua:%d+: configure: no such setting: "
            .. "events", err)
        assert.is_false(pcall(quoll.configure, { "epoll_events" }))
        assert.is_false(pcall(quoll.configure, 512))
    end)

    it("sets what is good and returns every setting", function()
        assert.equal("16\t32\t256\n", (printed [[
            quoll.configure { epoll_events = 16 }
            local all = quoll.configure { threads = 32 }
            print(all.epoll_events, all.threads, all.worker_aio_requests)
        ]]))
    end)

    it("sets all or nothing", function()
        assert.equal("false\t512\n", (printed [[
            local ok = pcall(quoll.configure,
                { epoll_events = 16, threads = 0, multi_accept = 8 })
            print(ok, quoll.configure().epoll_events)
        ]]))
    end)

    it("leaves the log as it is when a size is bad", function()
        local _, err = printed [[
            for _ = 1, 20 do
                pcall(quoll.configure, { log_level = "debug", threads = 0,
                    epoll_events = 0, multi_accept = 0, drain = -1 })
            end
            quoll.log("info", "not written")
        ]]
        assert.equal("", err)
    end)

    it("after the start takes the log's and the file cache's", function()
        assert.matches("^false\t[^\n]*configure: the loop has started[^\n]*\n"
            .. "table\n0\t30\n$", (printed [[
            quoll.run()
            print(pcall(quoll.configure,
                { epoll_events = 16, open_file_cache = 1 }))
            print(type(quoll.configure { log_level = "info", debug = {} }))
            local set = quoll.configure { open_file_cache_valid = 30 }
            print(set.open_file_cache, set.open_file_cache_valid)
        ]]))
    end)

    it("keeps open files while open_file_cache says so", function()
        assert.equal("1\t1\t1\n0\t0\n0\n", (printed [[
            quoll.run(function()
                quoll.configure { open_file_cache = 10,
                    open_file_cache_errors = true }
                for _ = 1, 2 do
                    quoll.open("/etc/passwd"):close()
                    quoll.open "/no/such"
                end
                local stats = quoll.stats()
                print(stats.files.live, stats.open_cache.hits,
                    stats.open_cache.negative)
                quoll.configure { open_file_cache = 0 }
                stats = quoll.stats()
                print(stats.files.live, stats.open_cache.entries)
                quoll.open("/etc/passwd"):close()
                print(quoll.stats().open_cache.entries)
            end)
        ]]))
    end)

    it("refuses bad levels and categories", function()
        for _, bad in ipairs { { log_level = "loud" }, { log_level = 3 },
            { debug = "aio" }, { debug = { "nothing" } }, { debug = { 1 } } }
        do
            local ok, err = pcall(quoll.configure, bad)
            assert.is_false(ok)
            assert.matches(next(bad), err)
        end
    end)

    it("switches debug categories on and off", function()
        local _, err = printed [[
            quoll.configure { debug = { "timer" } }
            quoll.sleep(0.001)
            quoll.configure { debug = {}, log_level = "notice" }
            quoll.sleep(0.001)
        ]]
        assert.matches("%[debug%][^\n]*timer add", err)
        local _, added = err:gsub("timer add", "")
        assert.equal(1, added)
    end)
end)
