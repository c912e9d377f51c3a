-- The timer load, the same for quoll and its peers: a million timers armed,
-- then all cancelled, none fires. Run twice: the first round warms up the
-- compiler and the allocators, the second is measured.
--
-- Prints: arm S cancel S peak BYTES rss BYTES held BYTES
-- peak, rss: resident more than before, while armed and at the end
-- held: in use more than before, Lua's heap and malloc's
local usage = require "bench.lib.usage"

local COUNT = 1000000

local function round(timers, peer)
    local start = usage.cpu()
    for i = 1, COUNT do
        timers[i] = peer.arm(60 + i * 7919 % 600000 / 1000)
    end
    local armed, peak = usage.cpu(), usage.rss()
    for i = 1, COUNT do
        peer.cancel(timers[i])
    end
    peer.settle()
    local cancelled = usage.cpu()
    for i = 1, COUNT do
        timers[i] = false
    end
    return armed - start, cancelled - armed, peak
end

-- peer: arm(seconds) -> timer, cancel(timer), settle() until none is left
return function(peer)
    local timers = {}
    for i = 1, COUNT do
        timers[i] = false
    end
    local held, rss = usage.held(), usage.rss()
    round(timers, peer)
    collectgarbage()
    collectgarbage()
    local arm, cancel, peak = round(timers, peer)
    held = usage.held() - held
    print(string.format("arm %.6f cancel %.6f peak %d rss %d held %d", arm,
        cancel, peak - rss, usage.rss() - rss, held))
end
