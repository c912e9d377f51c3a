-- Prints what steps cost: NAME NS ... Each step is run twice; the first time
-- warms up the compiler and the allocators.
local usage = require "bench.lib.usage"

-- steps: { name, count, fn }: fn(count) makes `count` of what is measured.
return function(steps)
    local figures = {}
    for _, step in ipairs(steps) do
        local name, count, fn = unpack(step)
        fn(count)
        collectgarbage()
        local start = usage.cpu()
        fn(count)
        table.insert(figures, string.format("%s %.2f", name,
            (usage.cpu() - start) / count * 1e9))
    end
    print(table.concat(figures, " "))
end
