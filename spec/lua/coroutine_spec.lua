local helper = require "spec.helper"
local quoll = require "quoll"
local co = quoll.coroutine


local in_main = it -- busted's own
require("quoll.busted").install { deadline = helper.seconds(20) }
helper.gates()

-- A client and the server's side of it.
local function connected()
    local listener = assert(quoll.listen "127.0.0.1:0")
    local client = assert(quoll.connect(listener:address()))
    local server = assert(listener:accept(5))
    listener:close()
    client:settimeout(5)
    server:settimeout(5)
    return client, server
end

describe("a generator that waits", function()
    it("sleeps while other tasks go on", function()
        local seen, ticks = {}, 0
        local ticker = quoll.timer.every(0.001, function()
            ticks = ticks + 1
        end)
        for i in co.wrap(function()
            for i = 1, 3 do
                quoll.sleep(0.004)
                co.yield(i)
            end
        end) do
            seen[#seen + 1] = i
        end
        ticker:cancel()
        assert.same({ 1, 2, 3 }, seen)
        assert.is_true(ticks >= 3)
    end)

    it("reads a socket, results in their order", function()
        local client, server = connected()
        local writer = quoll.spawn(function()
            for i = 1, 200 do
                assert(client:send(i .. "\n"))
                quoll.yield()
            end
            client:close()
        end)
        local expected = 0
        for line in co.wrap(function()
            for line in server:lines() do
                co.yield(line)
            end
        end) do
            expected = expected + 1
            assert.equal(tostring(expected), line)
        end
        assert.equal(200, expected)
        writer:wait()
    end)

    it("waits in whichever task resumes it", function()
        local generator = co.wrap(function()
            for i = 1, 20 do
                quoll.sleep(0.0005)
                co.yield(i)
            end
        end)
        for i = 1, 20 do
            assert.equal(i, quoll.spawn(generator):wait())
        end
    end)

    in_main("goes on in the main chunk, and the other way round", function()
        local generator = co.wrap(function()
            for i = 1, 4 do
                quoll.sleep(0.0005)
                co.yield(i)
            end
        end)
        assert.equal(1, quoll.run(generator))
        assert.equal(2, generator())
        assert.equal(3, quoll.run(generator))
        assert.equal(4, generator())
    end)

    it("waits again and again in a deep nest", function()
        local function nest(depth)
            return co.wrap(function()
                if depth == 0 then
                    for i = 1, 50 do
                        quoll.yield()
                        co.yield(i)
                    end
                    return
                end
                for i in nest(depth - 1) do
                    if i % 7 == 0 then
                        quoll.sleep(0.0005)
                    end
                    co.yield(i)
                end
            end)
        end
        local sum = 0
        for i in nest(20) do
            sum = sum + i
        end
        assert.equal(50 * 51 / 2, sum)
    end)

    it("spends the budget of its task", function()
        local ended, others = quoll.spawn(function() end), 0
        local limit = quoll.now() + helper.seconds(1)
        quoll.yield()
        quoll.spawn(function()
            for _ = 1, 3 do
                quoll.yield()
            end
            others = others + 1
        end)
        for _ in co.wrap(function()
            repeat
                ended:wait()
                co.yield(1)
            until others > 0 or quoll.now() > limit
        end) do
            assert.equal("done", ended:status())
        end
        assert.equal(1, others)
    end)

    it("has its timeout", function()
        local _, server = connected()
        server:settimeout(0.002)
        assert.same({ nil, "timeout", "", "TIMEOUT" }, { co.wrap(function()
            return server:receive(1)
        end)() })
    end)

    it("keeps alive what it waits on", function()
        local collector = quoll.spawn(function()
            while true do
                collectgarbage()
                quoll.yield()
            end
        end)
        for _ = 1, 20 do
            assert.equal("MIT", co.wrap(function()
                local got = quoll.open(helper.root .. "/LICENSE", "rd")
                    :pread(3, 0)
                co.yield(got)
            end)())
        end
        collector:cancel()
    end)
end)

describe("a cancellation", function()
    it("is raised inside the generator, at its wait", function()
        local caught
        local task = quoll.spawn(co.wrap(function()
            co.wrap(function()
                local ok, err = pcall(quoll.sleep, 60)
                caught = { ok, quoll.iscancelled(err) }
                error(err, 0)
            end)()
        end))
        quoll.yield()
        task:cancel "enough"
        assert.same({ nil, "cancelled", "CANCELLED" }, { task:wait() })
        assert.same({ false, "enough" }, caught)
    end)

    it("that is swallowed for ever ends the task by force", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local co = quoll.coroutine
            quoll.run(function()
                local generator = co.create(function()
                    while true do
                        pcall(quoll.sleep, 60)
                    end
                end)
                local after = "not reached"
                local task = quoll.spawn(function()
                    co.wrap(function() co.resume(generator) end)()
                    after = "reached"
                end)
                quoll.yield()
                task:cancel()
                print(task:wait())
                collectgarbage()
                print(after, co.status(generator))
                print(co.resume(generator))
            end)
        ]]
        assert.equal("nil\tended by force\tFORCED\nnot reached\tnormal\n"
            .. "false\tcannot resume a coroutine that waits\n", result.out)
        assert.matches("swallowed 1,000 cancellations", result.err)
        assert.equal(0, result.code)
    end)
end)

describe("a coroutine that waits in one task", function()
    it("cannot be resumed by another one", function()
        local inner = co.create(function()
            quoll.sleep(0.002)
            return "end"
        end)
        local outer = co.create(function() return co.resume(inner) end)
        local first = quoll.spawn(co.resume, outer)
        quoll.yield()
        quoll.yield()
        for _, waiting in ipairs { inner, outer } do
            assert.equal("normal", co.status(waiting))
            assert.same({ false, "cannot resume a coroutine that waits" },
                { co.resume(waiting) })
        end
        assert.same({ true, true, "end" }, { first:wait() })
        assert.equal("dead", co.status(inner))
        assert.equal("dead", co.status(outer))
    end)

    it("raises through its wrap", function()
        local step = co.wrap(function()
            quoll.sleep(0.002)
            return "end"
        end)
        local first = quoll.spawn(step)
        quoll.yield()
        quoll.yield()
        local ok, err = pcall(function()
            local value = step()
            return value
        end)
        assert.is_false(ok)
        assert.matches("coroutine_spec.lua:%d+: cannot resume a coroutine "
            .. "that waits", err)
        assert.equal("end", first:wait())
    end)

    -- coroutine.resume cannot be told; what is left must work further.
    it("and is resumed by coroutine.resume harms nobody else", function()
        local client, server = connected()
        local generator = co.create(function()
            return server:receive(1)
        end)
        local first = quoll.spawn(function()
            local ok, err = co.resume(generator)
            quoll.sleep(0.001)
            return ok, err
        end)
        quoll.yield()
        quoll.yield()
        assert.same({ true, "stolen" },
            { coroutine.resume(generator, "stolen") })
        client:send("xy")
        local ok, err = first:wait()
        assert.is_false(ok)
        assert.matches("coroutine.resume has resumed", err)
        assert.equal("xy", server:receive(2))
    end)
end)

describe("a generator that is abandoned", function()
    it("leaves what it opened to its task", function()
        local file
        quoll.spawn(function()
            assert.equal("MIT License", co.wrap(function()
                file = assert(quoll.open(helper.root .. "/LICENSE"))
                for line in file:lines() do
                    co.yield(line)
                end
            end)())
            assert.is_truthy(file:size())
        end):wait()
        assert.equal("OWNER_ENDED", select(3, file:size()))
    end)

    it("is collected", function()
        local alive = setmetatable({}, { __mode = "k" })
        for _ = 1, 100 do
            local generator = co.create(function()
                quoll.yield()
                co.yield(1)
            end)
            alive[generator] = true
            assert.is_true(co.resume(generator))
        end
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(alive))
    end)
end)

describe("an error", function()
    it("keeps its traceback in the coroutine", function()
        local function fails()
            quoll.yield()
            error "in the generator"
        end
        local generator = co.create(function()
            fails()
        end)
        local ok, err = co.resume(generator)
        assert.is_false(ok)
        assert.matches("coroutine_spec.lua:%d+: in the generator", err)
        assert.matches("in function 'fails'", debug.traceback(generator))
    end)

    it("object goes through wrap unchanged", function()
        local object = {}
        local _, err = pcall(co.wrap(function()
            quoll.yield()
            error(object)
        end))
        assert.equal(object, err)
    end)
end)

-- A hook raises at each step between the wait and the yield of the task.
describe("a generator's wait that its task does not reach", function()
    local script = [[
        jit.off()
        local quoll = require "quoll"
        local co, early, main = quoll.coroutine, 0, nil

        local function interrupted(n, wait)
            local generator = co.wrap(function() co.wrap(wait)() end)
            debug.sethook(function()
                debug.sethook()
                if co.running() ~= main then error("hook", 0) end
            end, "", n)
            local ok, err = pcall(generator)
            debug.sethook()
            return err, not ok and select(2, pcall(quoll.waitfd, 0, "r", 9))
        end

        for n = 1, 95 do
            quoll.run(function()
                main = co.running()
                local channel = quoll.sync.channel()
                local task = quoll.spawn(interrupted, n, function()
                    if arg[1] == "sleep" then
                        quoll.sleep(60)
                    else
                        channel:receive()
                    end
                end)
                quoll.yield()
                quoll.yield()
                debug.sethook()
                if task:status() == "done" then
                    local err, busy = task:wait()
                    assert(err:match "hook$", err)
                    early = early + (tostring(busy):find "waits already"
                        and 1 or 0)
                    assert(not channel:send("x", 0), n)
                end
                task:cancel()
            end)
        end
        local stats = quoll.stats()
        print(early > 10, stats.tasks.live, stats.loop.posted)
    ]]

    for _, what in ipairs { "receive", "sleep" } do
        it("ends with that, " .. what, function()
            local result = helper.script(script, { what })
            assert.equal("true\t0\t0\n", result.out, result.err)
            assert.equal(0, result.code)
        end)
    end
end)
