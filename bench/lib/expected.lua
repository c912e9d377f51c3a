-- Ratios beside those that the tree is held to.
local expected = {}

-- The benchmarks that give them, each once.
function expected.benchmarks(list)
    local names, seen = {}, {}
    for _, entry in ipairs(list) do
        if not seen[entry[1]] then
            seen[entry[1]] = true
            table.insert(names, entry[1])
        end
    end
    return names
end

local function judge(entry, ratio, most)
    if not ratio then
        return "NOT MEASURED", false
    elseif ratio > most then
        return "REGRESSED", false
    elseif ratio < entry[3] * (1 - entry[4]) then
        return "better", true
    end
    return "as expected", true
end

-- A line for each, and whether none has regressed; ratios and limits, which no
-- allowance goes beyond: by figure.
function expected.compare(list, ratios, limits)
    local lines, good = {}, true
    for _, entry in ipairs(list) do
        local ratio = ratios[entry[2]]
        local most = math.min(entry[3] * (1 + entry[4]),
            limits[entry[2]] or math.huge)
        local verdict, ok = judge(entry, ratio, most)
        good = good and ok
        table.insert(lines, string.format(
            "%-18s %7s  expected %.2f, at most %.2f  %s", entry[2],
            ratio and string.format("%.2f", ratio) or "-", entry[3],
            most, verdict))
    end
    return table.concat(lines, "\n") .. "\n", good
end

return expected
