-- range.lua: what a client asks for with Range: "size header".
local ranges = require "quoll.http.static.ranges"

local target = {
    words = { "bytes=", "-", ",", "0-", "-1", "0-0", "9999999999999999999",
        " ", "\t", "bytes", "=", "5-4" },
}

-- Each lies within the size, no two have a byte in common, and those that are
-- asked for are there, in order when nothing overlaps.
function target.try(input)
    local size, header = input:match "^(%d%d?%d?%d?) (.*)$"
    size = tonumber(size)
    local list = size and ranges.parse(header, size)
    if not list then
        return
    end
    assert(#list <= 16)
    local total = 0
    for i, range in ipairs(list) do
        assert(range.first >= 0 and range.first <= range.last
            and range.last < size, "beyond the size")
        assert(range.first % 1 == 0 and range.last % 1 == 0)
        for j = 1, i - 1 do
            assert(list[j].last < range.first or range.last < list[j].first,
                "two overlap")
        end
        total = total + range.last - range.first + 1
    end
    assert(total <= size)
end

return target
