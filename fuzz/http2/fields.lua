-- fields.lua: heads that a handler may see, judged without their parser.
local fields = {}

local PSEUDO = { [":method"] = true, [":scheme"] = true, [":path"] = true,
    [":authority"] = true }
-- RFC 9113, 8.2.2
local HOP = { connection = true, ["keep-alive"] = true, upgrade = true,
    ["proxy-connection"] = true, ["transfer-encoding"] = true }

local function check_name(name, value, trailer)
    assert(not name:find "[%z\1-\32\127-\255%u]" and name ~= "",
        "a name that is none")
    if name:sub(1, 1) == ":" then
        assert(PSEUDO[name] and not trailer, "a pseudo-header that is none")
    else
        assert(not name:find ":", "a colon in a name")
    end
    assert(not HOP[name], "a field of HTTP/1")
    assert(name ~= "te" or value:lower() == "trailers", "te")
    assert(not value:find "[%z\r\n]", "a value that is none")
end

-- list: name, value, ...; limits: head (bytes), fields
function fields.check(list, limits, trailer)
    local seen, size, plain = {}, 0, false
    assert(#list % 2 == 0 and #list / 2 <= limits.fields, "too many fields")
    for i = 1, #list, 2 do
        local name, value = list[i], list[i + 1]
        size = size + #name + #value
        check_name(name, value, trailer)
        local pseudo = PSEUDO[name] ~= nil
        assert(not pseudo or not (plain or seen[name]),
            "a pseudo-header late, or twice")
        plain = plain or not pseudo
        seen[name] = true
    end
    assert(size <= limits.head, "a head that is too large")
    if not trailer and #list > 0 then
        assert(seen[":method"], "a head without a method")
    end
end

return fields
