-- How late the ticks of a 1 ms ticker came.
local figures = require "bench.lib.figures"

local Lateness = {}
Lateness.__index = Lateness

Lateness.PERIOD = 0.001

function Lateness.new()
    return setmetatable({ late = {} }, Lateness)
end

-- elapsed: seconds since the tick was armed
function Lateness:tick(elapsed)
    table.insert(self.late, math.max(0, elapsed - self.PERIOD))
end

-- Prints: ticks N reads N p50 US p99 US p999 US max US
function Lateness:print(reads)
    local us = {}
    for i, q in ipairs { 0.5, 0.99, 0.999, 1 } do
        us[i] = figures.quantile(self.late, q) * 1e6
    end
    print(string.format(
        "ticks %d reads %d p50 %.0f p99 %.0f p999 %.0f max %.0f",
        #self.late, reads, unpack(us)))
end

return Lateness
