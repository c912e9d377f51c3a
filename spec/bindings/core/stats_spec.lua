local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("stats", function()
    helper.gates()

    local fields = {
        loop = "turns events stale rebuilds epoll_ctl posted timers",
        connections = "opened closed live accepted accept_errors "
            .. "accept_pauses",
        aio = "submitted reaped in_flight",
        files = "live reads hits misses direct pool queued eagain submits "
            .. "iocbs_per_submit open_cached open_pool orphans",
        pool = "jobs pending calls",
        tasks = "spawned ended failed live resumes",
    }

    it("has every field, a number of 0 or more", function()
        local stats = quoll.stats()
        for group, names in pairs(fields) do
            for name in names:gmatch "%S+" do
                assert.is_true((stats[group][name] or -1) >= 0,
                    group .. "." .. name)
            end
        end
        assert.equal(0, stats.alerts)
    end)

    it("adds up", function()
        local path = tasks.file(("x"):rep(100000))
        finally(function() os.remove(path) end)
        local before = quoll.stats()
        tasks.run(function()
            local file = assert(quoll.open(path, "rd"))
            for i = 1, 10 do
                quoll.spawn(file.pread, file, 1000, i * 777)
            end
            tasks.settle()
            local stats = quoll.stats()
            assert.equal(stats.aio.submitted,
                stats.aio.reaped + stats.aio.in_flight)
            assert.equal(stats.connections.opened,
                stats.connections.closed + stats.connections.live)
            assert.is_true(stats.files.reads >= 10)
            quoll.sleep(0.01)
        end)
        local stats = quoll.stats()
        assert.equal(stats.aio.submitted, stats.aio.reaped)
        assert.equal(stats.connections.opened, stats.connections.closed)
        assert.equal(0, stats.files.reads)
        assert.equal(0, stats.files.live)
        assert.is_true(stats.loop.turns > before.loop.turns)
    end)

    it("counts the iocbs of a submit", function()
        local aio, files = quoll.stats().aio, quoll.stats().files
        assert.equal(aio.submitted / math.max(files.submits, 1),
            files.iocbs_per_submit)
    end)

    -- A script's files.* after it has read its file with faults in place.
    local function seen(rules, mode)
        local path = tasks.file(("x"):rep(100000))
        finally(function() os.remove(path) end)
        local result = helper.script(([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            %s
            local file = assert(quoll.open(arg[1], "%s"))
            for i = 1, 3 do assert(#file:pread(65536, i) == 65536) end
            local f = quoll.stats().files
            local total = 0
            for _, b in ipairs(f.fallbacks) do
                total = total + b.count
                print(b.device:match "^%%S+ %%d+:%%d+$" ~= nil, b.reason,
                    b.count)
            end
            print(f.pool == f.misses + total)
            -- A busy machine can make others slow as well.
            for name, slow in pairs { submits = f.slow_submits,
                cached = f.slow_cached } do
                if slow.s and slow.s >= 0.05 then
                    print(name, slow.count >= 1, slow.file == arg[1])
                end
            end
        ]]):format(rules, mode), { path })
        assert.equal(0, result.code, result.err)
        return result.out
    end

    it("tells what held the loop up, and the file", function()
        assert.equal("true\ncached\ttrue\ttrue\n",
            seen('inject.ql_inject_delay("preadv2", -1, 3, 3, 50000)', "r"))
        assert.equal("true\nsubmits\ttrue\ttrue\n",
            seen('inject.ql_inject_delay("io_submit", -1, 3, 3, 50000)',
                "rd"))
    end)

    for reason, case in pairs {
        ["nowait unsupported"] = { 3, "r",
            'inject.ql_inject_fail("preadv2", -1, 1, 0, 95)' },
        ["aio refused"] = { 3, "rd",
            'inject.ql_inject_fail("io_setup", -1, 1, 0, 11)' },
        ["no descriptor"] = { 3, "rd", [[
            local open = quoll.open
            function quoll.open(...)
                local file = open(...)
                inject.ql_inject_fail("open", -1, 1, 0, 24)
                return file
            end]] },
        ["slow misses"] = { 2, "r", [[
            inject.ql_inject_delay("preadv2", -1, 1, 1, 1500)
            inject.ql_inject_fail("preadv2", -1, 1, 1, 11)
            inject.ql_inject_result("cachestat", -1, 1, 0, 0)]] },
        ["dirty pages"] = { 1, "rd", "inject.ql_inject_aio_res(1, -11)" },
    } do
        it("counts reads that fell back: " .. reason, function()
            assert.equal(("true\t%s\t%d\ntrue\n"):format(reason, case[1]),
                seen(case[3], case[2]))
        end)
    end

    it("is a table of its own each time", function()
        quoll.stats().loop.turns = -1
        assert.is_true(quoll.stats().loop.turns >= 0)
    end)
end)
