local figures = require "bench.lib.figures"

-- What is woken, or made; its bare counterpart; the most it may cost of that.
local FIGURES = {
    { "spawn", "ns to spawn a task and join it", "bare_spawn", 2.5 },
    { "semaphore", "ns for a wake through a semaphore", "switch", 10 },
    { "channel", "ns for a wake through a channel", "switch", 10 },
    { "unbuffered", "ns for a wake through an unbuffered one", "switch", 10 },
    { "stream", "ns for an item of a stream of a channel", "switch" },
}

return {
    name = "task",
    what = "tasks against bare coroutines",
    run = function(bench)
        local samples = figures.samples()
        bench:rounds(function()
            local round = figures.parse(bench:script("bench/task.lua"))
            local bare = figures.parse(
                bench:script("bench/peers/task_bare.lua"))
            round.bare_spawn, round.switch = bare.spawn, bare.switch
            samples:add(round)
        end)
        for _, figure in ipairs(FIGURES) do
            local name, what, bare, most = unpack(figure, 1, 4)
            bench.report:add {
                what = "task: " .. what .. ", against bare",
                measured = samples:median(name),
                against = samples:median(bare),
                ratio = samples:ratio(name, bare),
                most = most,
            }
        end
    end,
}
