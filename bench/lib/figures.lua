-- Figures out of programs, and figures out of figures.
local figures = {}

-- "reads 10 ns 1.5" -> { reads = 10, ns = 1.5 }
function figures.parse(text)
    local found = {}
    for name, value in text:gmatch("(%a[%w_]*) (%-?[%d.]+)") do
        found[name] = tonumber(value)
    end
    return found
end

local function sort(values)
    local copy = {}
    for i, value in ipairs(values) do
        copy[i] = value
    end
    table.sort(copy)
    return copy
end

function figures.median(values)
    local sorted = sort(values)
    local middle = #sorted / 2
    if #sorted % 2 == 1 then
        return sorted[math.ceil(middle)]
    end
    return (sorted[middle] + sorted[middle + 1]) / 2
end

-- The value below which a share `q` of the values lies.
function figures.quantile(values, q)
    local sorted = sort(values)
    return sorted[math.min(#sorted, math.floor(q * #sorted) + 1)]
end

-- Samples of one round after the other, by name; the medians of values and of
-- the ratios within a round, so that a slow minute of the machine divides out.
local Samples = {}
Samples.__index = Samples

function figures.samples()
    return setmetatable({ rounds = {} }, Samples)
end

function Samples:add(round)
    table.insert(self.rounds, round)
end

function Samples:each(fn)
    local values = {}
    for i, round in ipairs(self.rounds) do
        values[i] = fn(round)
    end
    return figures.median(values)
end

function Samples:median(name)
    return self:each(function(round)
        return round[name]
    end)
end

-- The least and the greatest ratio of a round.
function Samples:spread(name, base)
    local low, high = math.huge, -math.huge
    for _, round in ipairs(self.rounds) do
        local ratio = round[name] / round[base]
        low, high = math.min(low, ratio), math.max(high, ratio)
    end
    return low, high
end

function Samples:ratio(name, base)
    return self:each(function(round)
        return round[name] / round[base]
    end)
end

return figures
