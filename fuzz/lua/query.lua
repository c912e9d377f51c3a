-- query.lua: queries and forms.
local percent = require "quoll.http.syntax.percent"
local query = require "quoll.http.syntax.query"

local target = {
    words = { "&", "=", "%", "+", "%41", "%zz", "%0", "a=b", "%00", "%26",
        "&&", ";" },
}

-- The pairs, told by splitting alone.
local function pairs_of(s)
    local list = {}
    for item in s:gmatch "[^&]+" do
        local name, value = item:match "^([^=]*)=(.*)$"
        list[#list + 1] = { percent.decode_query(name or item),
            percent.decode_query(value or "") }
    end
    return list
end

function target.try(input)
    local first, all = query.parse_query(input)
    local seen = {}
    for _, pair in ipairs(pairs_of(input)) do
        local name, value = pair[1], pair[2]
        seen[name] = (seen[name] or 0) + 1
        assert(all[name] and all[name][seen[name]] == value, "another value")
        assert(seen[name] > 1 or first[name] == value)
    end
    for name, values in pairs(all) do
        assert(#values == seen[name], "a value too many")
    end
    local strict = percent.decode(input)
    assert(strict == nil or percent.decode(percent.encode(strict)) == strict)
end

return target
