local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local license = helper.root .. "/LICENSE"

describe("the budget of a task", function()
    helper.gates()

    local function shared(hot)
        run(function()
            local others, stop = 0, false
            quoll.timer.after(0.02, function() stop = true end)
            for _ = 1, 100 do
                quoll.spawn(function()
                    for _ = 1, 3 do
                        quoll.yield()
                    end
                    others = others + 1
                end)
            end
            local file = assert(quoll.open(license))
            local deadline = quoll.now() + 3
            while (not stop or others < 100) and quoll.now() < deadline do
                hot(file)
            end
            assert.is_true(stop)
            assert.equal(100, others)
        end, 10)
    end

    it("keeps a hot loop of cached reads from starving others", function()
        shared(function(file)
            assert(file:pread(16, 0))
        end)
    end)

    it("keeps a hot loop of failures from starving others", function()
        shared(function(file)
            assert.is_nil((file:pread(16, 1e6)))
        end)
    end)

    it("keeps a hot loop of sleep(0) from starving others", function()
        shared(function()
            quoll.sleep(0)
        end)
    end)

    it("keeps a hot loop of ended tasks from starving others", function()
        local ended = quoll.spawn(function() return 1 end)
        shared(function()
            ended:wait()
        end)
    end)

    it("is 64 completions", function()
        if helper.collecting then
            return pending "a slice ends by its time under the collector"
        end
        run(function()
            local ended = quoll.spawn(function() end)
            quoll.yield()
            local before = quoll.stats().tasks.resumes
            quoll.yield()
            for _ = 1, 640 do
                ended:wait()
            end
            local resumes = quoll.stats().tasks.resumes - before
            assert.is_true(resumes >= 10 and resumes <= 30,
                resumes .. " resumes")
        end)
    end)

    -- Completions of a task before another one runs, on a clock that goes on
    -- by `step` ns with each. due: ns after which a timer is
    local function completions(step, due)
        local result = helper.script([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            local step, due = tonumber(arg[1]), tonumber(arg[2])
            inject.ql_inject_clock_freeze(1)
            quoll.run(function()
                local ended = quoll.spawn(function() end)
                quoll.yield()
                local n, seen = 0, nil
                quoll.spawn(function()
                    if due then
                        quoll.sleep(due / 1e9)
                    end
                    seen = n
                end)
                if due then
                    quoll.yield()
                end
                while not seen do
                    n = n + 1
                    inject.ql_inject_clock(n * step)
                    ended:wait()
                end
                print(seen)
            end)
        ]], { step, due })
        assert.equal(0, result.code, result.err)
        return tonumber(result.out)
    end

    it("is 500 us, which is looked at every 8 completions", function()
        assert.equal(64, completions(0))
        assert.equal(64, completions(10000))
        assert.equal(40, completions(20000))
        assert.equal(16, completions(100000))
    end)

    it("ends when a timer is due", function()
        assert.equal(8, completions(10000, 50000))
        assert.equal(24, completions(10000, 200000))
    end)

    it("keeps results in the order of the calls", function()
        run(function()
            local file = assert(quoll.open(license))
            local whole = file:read "*a"
            for i = 1, 500 do
                assert.equal(whole:sub(i, i), file:pread(1, i - 1))
            end
        end)
    end)
end)
