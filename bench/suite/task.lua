local figures = require "bench.lib.figures"

-- What is woken, or made; its bare counterpart; the most it may cost of that.
local FIGURES = {
    { "spawn", "ns to spawn a task and join it", "bare_spawn", 2.5 },
    { "semaphore", "ns for a wake through a semaphore", "switch", 10 },
    { "channel", "ns for a wake through a channel", "switch", 10 },
    { "unbuffered", "ns for a wake through an unbuffered one", "switch", 10 },
    { "stream", "ns for an item of a stream of a channel", "switch" },
}

-- A million tasks, and cancelling many against cancelling a tenth of them.
local function alive(bench, round)
    local scale = (bench.quick or bench.short) and 10 or 1
    local function measure(n)
        return figures.parse(bench:script("bench/task_alive.lua", n / scale))
    end
    round.bytes = measure(1000000).bytes
    round.cancel, round.cancel_few = measure(100000).cancel,
        measure(10000).cancel
end

return {
    name = "task",
    what = "tasks against bare coroutines",
    peers = { "bare coroutines" },
    run = function(bench)
        local samples = figures.samples()
        bench:rounds(function()
            local round = figures.parse(bench:script("bench/task.lua"))
            local bare = figures.parse(
                bench:script("bench/peers/task_bare.lua"))
            round.bare_spawn, round.switch = bare.spawn, bare.switch
            alive(bench, round)
            samples:add(round)
        end)
        for _, figure in ipairs(FIGURES) do
            local name, what, bare, most = unpack(figure, 1, 4)
            bench.report:compare(samples, name, bare, {
                key = "task " .. name,
                what = "task: " .. what .. ", against bare",
                most = most,
            })
        end
        bench.report:add {
            key = "task bytes",
            what = "task: bytes of each of a million that sleep",
            measured = samples:median "bytes",
            most = 1200,
        }
        bench.report:compare(samples, "cancel", "cancel_few", {
            key = "task cancel",
            what = "task: ns to cancel one of 100,000, against of 10,000",
            most = 2,
        })
    end,
}
