-- Numbers that are the same for the same seed (Lehmer's generator).
local random = {}

-- A function(n) that gives the next whole number from 0 to n - 1.
function random.new(seed)
    local state = seed % 2147483647
    return function(n)
        state = state * 16807 % 2147483647
        return state % n
    end
end

-- n bytes of what random.new gave.
function random.bytes(next_number, n)
    local bytes = {}
    for i = 1, n do
        bytes[i] = string.char(next_number(256))
    end
    return table.concat(bytes)
end

return random
